// The help texts, from the same tables that the parser uses.
import type { OptionSpecs } from './arguments'
import type { Command } from './command'
import { table } from './output'

export function overview(commands: Readonly<Record<string, Command>>): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary])
  return [
    'Usage: deberta <command> [options]\n\n',
    table(rows),
    '\nTexts come as arguments, with --file, or line by line on stdin. Results go to stdout: a table on a terminal, else',
    '\nJSON lines. `deberta <command> --help` lists the options of a command.\n',
  ].join('')
}

export function usage(name: string, { summary, operands, options }: Command): string {
  return `Usage: deberta ${name} [options] ${operands}\n${summary}\n\n${table(optionRows(options))}`
}

function optionRows(options: OptionSpecs): [string, string][] {
  return Object.entries(options).map(([name, { value, help }]) => [
    `  --${name}${value ? ` <${value}>` : ''}`,
    help,
  ])
}
