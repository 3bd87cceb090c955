#!/usr/bin/env node
'use strict'
// What prebuildify runs in place of node-gyp: `rebuild --target=V --devdir=D --arch=A --release|--debug`. cmake-js would
// read --target as a CMake target, hence this shim.
const { cmakeJs } = require('./build.cjs')

const given = process.argv.slice(2)
const option = (name) => given.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3)

const args = ['rebuild', '--target', 'deberta', '--CDDEBERTA_BUILD_TESTS=OFF']
if (option('arch')) args.push('--arch', option('arch'))
if (given.includes('--debug')) args.push('--debug')
for (const define of (process.env.PREBUILD_CMAKE_DEFINES || '').split(';').filter(Boolean))
  args.push(`--CD${define}`)
process.exit(cmakeJs(args).status ?? 1)
