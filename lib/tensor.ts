// The numbers that come out of a model.
import { DebertaError } from './errors'

/** Float32 values in row-major order: `data.length` is the product of `dims`. */
export class Tensor {
  readonly data: Float32Array
  readonly dims: number[]

  constructor(data: Float32Array, dims: readonly number[]) {
    this.data = data
    this.dims = [...dims]
  }

  /**
   * Row `index` of the first dimension as a view, without a copy.
   *
   * @param index 0 ≤ index < dims[0]
   * @throws DEBERTA_ERR_INVALID_ARGUMENT
   */
  row(index: number): Float32Array {
    const [rows = 0] = this.dims
    if (!Number.isInteger(index) || index < 0 || index >= rows) {
      throw new DebertaError(
        'DEBERTA_ERR_INVALID_ARGUMENT',
        `expected a row between 0 and ${rows - 1} for \`index\`, got ${index}`,
        { details: { name: 'index', value: index } },
      )
    }
    const size = this.data.length / rows
    return this.data.subarray(index * size, (index + 1) * size)
  }

  /** [rows, features] and [rows] as nested arrays of numbers, for JSON; not for large tensors. */
  toArray(): number[] | number[][] {
    if (this.dims.length <= 1) return Array.from(this.data)
    return Array.from({ length: this.dims[0] ?? 0 }, (_, index) => Array.from(this.row(index)))
  }
}
