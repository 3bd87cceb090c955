'use strict'
// Makes prebuilds/<platform>-<arch>/ for this machine. CMake options come in through PREBUILD_CMAKE_DEFINES ("A=1;B=2").
const fs = require('node:fs')
const path = require('node:path')
const prebuildify = require('prebuildify')
const { root } = require('./build.cjs')

process.chdir(root)
const options = {
  cwd: root,
  napi: true,
  strip: true,
  tagLibc: process.platform === 'linux',
  targets: [process.versions.node],
  shell: true,
  nodeGyp: `"${process.execPath}" "${require.resolve('./node-gyp.cjs')}"`,
}
prebuildify(options, (error) => {
  // prebuildify moves the binary out and leaves a CMakeCache with release settings, which a later build must not see.
  fs.rmSync(path.join(root, 'build'), { recursive: true, force: true })
  if (error) {
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  }
})
