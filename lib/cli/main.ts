#!/usr/bin/env node
// The command `deberta`. Exit codes: 0 done, 1 an error (its code and message on stderr), 2 wrong usage, 130 interrupted.
import { DebertaError } from '../index'
import { Arguments, UsageError } from './arguments'
import type { Command } from './command'
import { classifyCommand } from './commands/classify'
import { devicesCommand } from './commands/devices'
import { embedCommand } from './commands/embed'
import { fillMaskCommand } from './commands/fill-mask'
import { infoCommand } from './commands/info'
import { tokenizeCommand } from './commands/tokenize'
import { overview, usage } from './help'
import { Output } from './output'

const commands: Readonly<Record<string, Command>> = {
  classify: classifyCommand,
  'fill-mask': fillMaskCommand,
  embed: embedCommand,
  tokenize: tokenizeCommand,
  info: infoCommand,
  devices: devicesCommand,
}

const helpOptions = {
  help: { type: 'boolean', help: 'show this' },
} as const

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(overview(commands))
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    process.stdout.write(`${(require('../../package.json') as { version: string }).version}\n`)
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) throw new UsageError(`unknown command '${name}'`)
  const args = new Arguments(rest, { ...command.options, ...helpOptions })
  if (args.flag('help'))
    process.stdout.write(usage(name, { ...command, options: { ...command.options, ...helpOptions } }))
  else await runCommand(command, args)
  return 0
}

async function runCommand(command: Command, args: Arguments): Promise<void> {
  const interrupt = new AbortController()
  const { stdin, stdout, stderr } = process
  process.once('SIGINT', () => {
    process.exitCode = 130
    interrupt.abort(new Interrupted())
    stdin.destroy() // a command that waits for lines must end too
  })
  const output = new Output(stdout, args.flag('json') || !stdout.isTTY)
  const progress = stderr.isTTY ? stderr : null
  await command.run({ args, output, stdin, progress, signal: interrupt.signal })
  interrupt.signal.throwIfAborted()
}

class Interrupted extends Error {}

function report(error: unknown): number {
  if (error instanceof Interrupted) return 130
  if (error instanceof UsageError) {
    process.stderr.write(`deberta: ${error.message}\nSee deberta --help\n`)
    return 2
  }
  if (error instanceof DebertaError) process.stderr.write(`${error.code}: ${error.message}\n`)
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}

// A reader that stops early (`deberta … | head`) ends the command; it is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

main(process.argv.slice(2))
  .catch(report)
  .then((code) => {
    process.exitCode = code
  })
