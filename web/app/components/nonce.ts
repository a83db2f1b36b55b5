import { createContext, useContext } from 'react'

/** The nonce of this response on the server; undefined in browsers, which hide nonces from scripts. */
export const NonceContext = createContext<string | undefined>(undefined)

export function useNonce(): string | undefined {
  return useContext(NonceContext)
}
