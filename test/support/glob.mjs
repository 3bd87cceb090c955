// The files below a folder whose names end in `suffix`, sorted. (node:fs has globSync only since Node 22.)
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export function globSync(folder, suffix) {
  const base = fileURLToPath(folder)
  return readdirSync(base, { recursive: true })
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(base, name))
    .sort()
}
