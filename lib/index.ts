// The public API. index.mts gives ECMAScript modules the same names of the same one build.
export { type Device, listDevices } from './devices'
export { DebertaError, type DebertaErrorOptions, type ErrorCode, errorCodes } from './errors'
export {
  type DeviceName,
  type DType,
  type LoadModelOptions,
  loadModel,
  Model,
  type ModelConfig,
  type ModelInfo,
  type Task,
} from './model'
export type {
  Decoder,
  EmbedOptions,
  ForwardOptions,
  MaskedOptions,
  OutputName,
  Pooling,
  SequenceInput,
  TopTokensOptions,
} from './model/forward-request'
export type {
  Embeddings,
  ForwardOutputs,
  ForwardResult,
  SequenceBounds,
  TopTokens,
} from './model/forward-result'
export { type BundledModelName, bundledModelPath } from './pipelines/bundled-models'
export type { PipelineProperties } from './pipelines/callable'
export type {
  FeatureExtractionOptions,
  FeatureExtractionPipeline,
  FeaturesFor,
} from './pipelines/feature-extraction'
export type { FillMaskOptions, FillMaskPipeline, FillMaskPrediction } from './pipelines/fill-mask'
export { type PipelineTask, type PipelineTasks, pipeline } from './pipelines/pipeline'
export type { Progress, RunOptions } from './pipelines/run-options'
export type {
  Classification,
  ClassificationFor,
  ScoreActivation,
  TextClassificationOptions,
  TextClassificationPipeline,
} from './pipelines/text-classification'
export { Tensor } from './tensor'
export {
  type EncodeBatchOptions,
  type EncodeOptions,
  type EncodeResult,
  type Encoding,
  type EncodingFor,
  loadTokenizer,
  type NoOptions,
  type SpecialTokens,
  type TextInput,
  Tokenizer,
  type Truncation,
} from './tokenizer'
