import { SendError } from './sender.ts'
import type { Put } from './sender.ts'

/** No byte for so long means that the line is gone, even if nobody says so. */
const STALLED_MS = 60_000

/** Sends with XMLHttpRequest, since fetch still cannot tell how much has gone up. */
export const xhrPut: Put = ({ url, headers, body, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let stall: ReturnType<typeof setTimeout> | undefined
    const patience = () => {
      clearTimeout(stall)
      stall = setTimeout(() => {
        request.abort()
        reject(new SendError('lost', 'The connection stalled.'))
      }, STALLED_MS)
    }
    const abort = () => {
      request.abort()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    request.addEventListener('loadend', () => {
      clearTimeout(stall)
      signal.removeEventListener('abort', abort)
    })
    request.upload.addEventListener('progress', ({ loaded }) => {
      patience()
      onProgress(loaded)
    })
    request.addEventListener('error', () => {
      reject(new SendError('lost', 'The connection was lost.'))
    })
    request.addEventListener('load', () => {
      const { status } = request
      if (status >= 200 && status < 300) resolve(request.getResponseHeader('etag'))
      else if (status === 403) reject(new SendError('expired', 'The upload’s address has expired.'))
      else if (status >= 500 || status === 429) {
        reject(new SendError('lost', 'The store is busy.'))
      } else reject(new SendError('refused', `The store refused the file (${status}).`))
    })
    request.open('PUT', url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    patience()
    request.send(body)
  })
