// deberta tokenize: tokens and ids of texts.
import { type Encoding, loadTokenizer, type TextInput, type Tokenizer, type Truncation } from '../../index'
import { modelOptions, outputOptions, textOptions } from '../arguments'
import { type Command, type Context, forEachBlock, inputFields, modelDirectory } from '../command'
import type { Row } from '../output'

function recordOf(tokenizer: Tokenizer, encoding: Encoding): Record<string, unknown> {
  const { inputIds, tokenTypeIds, offsets, truncatedTokens } = encoding
  return {
    tokens: Array.from(inputIds, (id) => tokenizer.idToToken(id)),
    inputIds: Array.from(inputIds),
    tokenTypeIds: Array.from(tokenTypeIds),
    ...(offsets && {
      offsets: Array.from(inputIds, (_, i) => [offsets[2 * i] ?? 0, offsets[2 * i + 1] ?? 0]),
    }),
    ...(truncatedTokens > 0 && { truncatedTokens }),
  }
}

function rowsOf(tokenizer: Tokenizer, { inputIds, offsets }: Encoding): Row[] {
  return Array.from(inputIds, (id, i) => [
    id,
    tokenizer.idToToken(id),
    offsets ? `${offsets[2 * i]}–${offsets[2 * i + 1]}` : '',
  ])
}

async function run(context: Context): Promise<void> {
  const { args, output, signal } = context
  const tokenizer = await loadTokenizer(modelDirectory(args, 'deberta-mini-en'), { signal })
  await forEachBlock(context, async ({ texts }, { maxLength }) => {
    const encodings: Encoding[] = await tokenizer.encodeBatch(texts, {
      addSpecialTokens: !args.flag('no-special-tokens'),
      parseSpecialTokens: args.flag('parse-special-tokens'),
      offsets: args.flag('offsets'),
      maxLength,
      truncation: args.string('truncation') as Truncation | undefined,
      signal,
    })
    for (const [i, encoding] of encodings.entries())
      await output.write(
        { ...inputFields(texts[i] as TextInput), ...recordOf(tokenizer, encoding) },
        rowsOf(tokenizer, encoding),
      )
  })
}

export const tokenizeCommand: Command = {
  summary: 'show the tokens of texts',
  operands: '[text …]',
  options: {
    model: modelOptions.model as NonNullable<typeof modelOptions.model>,
    ...textOptions,
    offsets: { type: 'boolean', help: 'where each token stands in its text, in UTF-16 units' },
    'no-special-tokens': { type: 'boolean', help: 'without [CLS] and [SEP]' },
    'parse-special-tokens': { type: 'boolean', help: '"[MASK]" in a text means the token' },
    ...outputOptions,
  },
  run,
}
