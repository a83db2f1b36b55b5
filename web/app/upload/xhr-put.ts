import { SendError } from './sender.ts'
import type { Put } from './sender.ts'

/** Without progress for this long, the connection counts as lost. */
const STALL_TIMEOUT_MS = 60_000

/** The event of a violated policy comes shortly before or after the request fails. */
const VIOLATION_DELAY_MS = 100

/** Sends with XMLHttpRequest, because fetch still reports no upload progress. */
export const xhrPut: Put = ({ url, headers, body, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let stall: ReturnType<typeof setTimeout> | undefined
    const restartStallTimer = () => {
      clearTimeout(stall)
      stall = setTimeout(() => {
        request.abort()
        reject(new SendError('lost', 'The connection stalled.'))
      }, STALL_TIMEOUT_MS)
    }
    const abort = () => {
      request.abort()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    // What the page's Content-Security-Policy forbids looks like a lost connection, but retrying is
    // useless.
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
        VIOLATION_DELAY_MS,
      )
    })
    request.upload.addEventListener('progress', ({ loaded }) => {
      restartStallTimer()
      onProgress(loaded)
    })
    request.addEventListener('error', () => {
      setTimeout(() => {
        if (!isForbidden) return reject(new SendError('lost', 'The connection was lost.'))
        const { origin } = new URL(url)
        const sentence = `This site is not set up to upload to ${origin}: set its S3_PUBLIC_ENDPOINT.`
        reject(new SendError('refused', sentence))
      }, VIOLATION_DELAY_MS)
    })
    request.addEventListener('load', () => {
      const { status } = request
      if (status >= 200 && status < 300) resolve(request.getResponseHeader('etag'))
      // Already stored: an earlier try succeeded, and only its response was lost.
      else if (status === 412) resolve(null)
      else if (status === 403) reject(new SendError('expired', 'The upload’s address has expired.'))
      else if (status >= 500 || status === 429) {
        reject(new SendError('lost', 'The store is busy.'))
      } else reject(new SendError('refused', `The store refused the file (${status}).`))
    })
    request.open('PUT', url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    restartStallTimer()
    request.send(body)
  })
