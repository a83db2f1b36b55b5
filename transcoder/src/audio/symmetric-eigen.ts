const SWEEPS = 60

/**
 * Finds eigenvalues and eigenvectors of a symmetric matrix with cyclic Jacobi rotations (Golub and
 * Van Loan, Matrix Computations, 4th ed., §8.5). Slow and exact: made for some hundred dimensions.
 *
 * @param matrix size × size values, row by row
 * @returns eigenvalues, largest first, and one eigenvector of length 1 per row in the same order;
 * each vector's largest entry is positive, so that the result does not depend on chance
 */
export function symmetricEigen(
  matrix: Float64Array,
  size: number,
): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice()
  const v = new Float64Array(size * size)
  for (let i = 0; i < size; i++) v[i * size + i] = 1

  for (let sweep = 0; sweep < SWEEPS && offDiagonal(a, size) > 1e-20; sweep++) {
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotate(a, v, size, p, q)
    }
  }

  const order = Array.from({ length: size }, (_, i) => i)
  order.sort((i, j) => a[j * size + j]! - a[i * size + i]!)
  const values = Float64Array.from(order, (i) => a[i * size + i]!)
  const vectors = new Float64Array(size * size)
  order.forEach((from, to) => {
    const vector = v.subarray(from * size, (from + 1) * size)
    const largest = vector.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0)
    for (let i = 0; i < size; i++) vectors[to * size + i] = vector[i]! * (largest < 0 ? -1 : 1)
  })
  return { values, vectors }
}

function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!
  if (apq === 0) return
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < size; k++) {
    const kp = a[k * size + p]!
    const kq = a[k * size + q]!
    a[k * size + p] = c * kp - s * kq
    a[k * size + q] = s * kp + c * kq
  }
  for (let k = 0; k < size; k++) {
    const pk = a[p * size + k]!
    const qk = a[q * size + k]!
    a[p * size + k] = c * pk - s * qk
    a[q * size + k] = s * pk + c * qk
    const vp = v[p * size + k]!
    const vq = v[q * size + k]!
    v[p * size + k] = c * vp - s * vq
    v[q * size + k] = s * vp + c * vq
  }
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) sum += a[i * size + j]! ** 2
  }
  return sum
}
