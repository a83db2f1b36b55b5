import { SendError } from './sender.ts'
import type { Put } from './sender.ts'

/** No byte for so long means that the line is gone, even if nobody says so. */
const STALLED_MS = 60_000

/** Browsers tell of a violated policy a moment before or after the request fails. */
const VIOLATION_TOLD_WITHIN_MS = 100

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
    // What the page's Content-Security-Policy forbids looks like a lost connection, but never mends.
    let isForbidden = false
    const onViolation = ({ blockedURI }: SecurityPolicyViolationEvent) => {
      if (URL.canParse(blockedURI) && new URL(blockedURI).origin === new URL(url).origin)
        isForbidden = true
    }
    document.addEventListener('securitypolicyviolation', onViolation)
    request.addEventListener('loadend', () => {
      clearTimeout(stall)
      signal.removeEventListener('abort', abort)
      setTimeout(
        () => document.removeEventListener('securitypolicyviolation', onViolation),
        VIOLATION_TOLD_WITHIN_MS,
      )
    })
    request.upload.addEventListener('progress', ({ loaded }) => {
      patience()
      onProgress(loaded)
    })
    request.addEventListener('error', () => {
      setTimeout(() => {
        if (!isForbidden) return reject(new SendError('lost', 'The connection was lost.'))
        const { origin } = new URL(url)
        const sentence = `This site is not set up to upload to ${origin}: its S3_PUBLIC_ENDPOINT has to name it.`
        reject(new SendError('refused', sentence))
      }, VIOLATION_TOLD_WITHIN_MS)
    })
    request.addEventListener('load', () => {
      const { status } = request
      if (status >= 200 && status < 300) resolve(request.getResponseHeader('etag'))
      // It is there already: an earlier try arrived, and only its answer was lost.
      else if (status === 412) resolve(null)
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
