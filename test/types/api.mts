// Compiled, never run: each line is a statement about a type. `// @ts-expect-error` lines must not compile.
import {
  type Classification,
  DebertaError,
  type Encoding,
  type ErrorCode,
  type FillMaskPrediction,
  listDevices,
  loadModel,
  loadTokenizer,
  type Model,
  pipeline,
  Tensor,
  type TextClassificationOptions,
} from 'deberta'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Equal<A, B>): void {}

export async function models(): Promise<void> {
  await using model = await loadModel('dir', { device: 'cuda:1', dtype: 'float32', threads: 2 })
  same<typeof model, Model>(true)
  // @ts-expect-error: a misspelt option
  await loadModel('dir', { devise: 'cpu' })
  // @ts-expect-error: an unknown device
  await loadModel('dir', { device: 'gpu' })

  const byDefault = await model.forward([{ inputIds: [1, 2] }])
  same<typeof byDefault.logits, Tensor>(true)
  // @ts-expect-error: not asked for
  byDefault.hiddenStates
  const { hiddenStates, attentions, cuSeqlens } = await model.forward([{ inputIds: Int32Array.of(1) }], {
    outputs: ['hiddenStates', 'attentions'],
    positions: [[0]],
    decoder: 'emd',
    choices: 2,
    signal: AbortSignal.timeout(1),
  })
  same<typeof hiddenStates, Tensor[]>(true)
  same<typeof attentions, Tensor[][]>(true)
  same<typeof cuSeqlens, Int32Array>(true)
  // @ts-expect-error: no such output
  await model.forward([{ inputIds: [1] }], { outputs: ['pooled'] })
  // @ts-expect-error: no such task
  if (model.info.task === 'translation') throw new Error()
}

export async function tokenizers(): Promise<void> {
  const tokenizer = await loadTokenizer('dir')
  const plain = tokenizer.encode('x')
  same<typeof plain, Encoding>(true)
  const maybe = plain.offsets
  same<typeof maybe, Int32Array | undefined>(true)
  const { offsets } = tokenizer.encode('x', { offsets: true })
  same<typeof offsets, Int32Array>(true)
  const windows = tokenizer.encode('x', { windows: true, maxLength: 8 })
  same<typeof windows, Encoding[]>(true)
  const batch = await tokenizer.encodeBatch(['x', { text: 'a', textPair: 'b' }], { windows: true, maxLength: 8 })
  same<typeof batch, Encoding[][]>(true)
  const id = tokenizer.tokenToId('x')
  same<typeof id, number | undefined>(true)
  // @ts-expect-error: not a strategy
  tokenizer.encode('x', { truncation: 'left' })
}

export async function pipelines(model: Model): Promise<void> {
  using classify = await pipeline('text-classification', 'dir', { device: 'auto' })
  const one = await classify('x')
  same<typeof one, Classification>(true)
  const all = await classify({ text: 'x', textPair: 'y' }, { topK: null })
  same<typeof all, Classification[]>(true)
  const many = await classify(['x', 'y'])
  same<typeof many, Classification[]>(true)
  const manyAll = await classify(['x'], { topK: 2 })
  same<typeof manyAll, Classification[][]>(true)

  const fill = await pipeline('fill-mask', model)
  const filled = await fill('a [MASK]')
  same<typeof filled, FillMaskPrediction[]>(true)
  const filledMany = await fill(['a [MASK]'])
  same<typeof filledMany, FillMaskPrediction[][]>(true)

  const extract = await pipeline('feature-extraction', model)
  const vector = await extract('x', { pooling: 'mean' })
  same<typeof vector, Tensor>(true)
  const matrix = await extract(['x'], { pooling: 'mean' })
  same<typeof matrix, Tensor>(true)
  const perText = await extract(['x'])
  same<typeof perText, Tensor[]>(true)
  // @ts-expect-error: no such task
  await pipeline('translation', 'dir')
}

export async function openOptions(model: Model, options: TextClassificationOptions): Promise<void> {
  const classify = await pipeline('text-classification', model)
  const either = await classify('x', options)
  same<typeof either, Classification | Classification[]>(true)
  const settled = await classify('x', { activation: 'none' })
  same<typeof settled, Classification>(true)
  const windows: boolean = options.maxLength !== undefined
  const encodings = model.tokenizer.encode('x', { windows, maxLength: 8 })
  same<typeof encodings, Encoding | Encoding[]>(true)
}

export async function errors(): Promise<ErrorCode | undefined> {
  const devices = await listDevices()
  same<(typeof devices)[number]['available'], boolean>(true)
  try {
    return undefined
  } catch (error) {
    return error instanceof DebertaError ? error.code : undefined
  }
}
