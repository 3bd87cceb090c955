// The ECMAScript face of the one CommonJS build: one module instance, however it is imported. The names are written out
// because `export *` of a CommonJS module would also export __esModule; a test compares them with index.ts.
export type * from './index.js'
export {
  bundledModelPath,
  DebertaError,
  errorCodes,
  listDevices,
  loadModel,
  loadTokenizer,
  Model,
  pipeline,
  Tensor,
  Tokenizer,
} from './index.js'
