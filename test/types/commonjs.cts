// The CommonJS face has the same types.
import deberta = require('deberta')

export const tensor: deberta.Tensor = new deberta.Tensor(new Float32Array(2), [2])
export const load: typeof deberta.loadModel = deberta.loadModel
