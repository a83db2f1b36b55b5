import type { KeyedHash } from '../platform/keyed-hash.ts'
import type { Network } from '../platform/networks.ts'

/** Which counters a try falls on; see migration 0010. */
export type GuessSlots = {
  account: number
  network: number
  wideNetwork: number | null
  pair: number
  /** Under which an account knows the network, 16 bytes; null where networks can't be told apart. */
  networkHash: Uint8Array | null
  factor: number
}

/** Slots of each kind: with a million, strangers seldom share one, and the table stays below 100 MB a kind. */
const SLOT_BITS = 20

const slotOf = (hash: Uint8Array<ArrayBuffer>): number =>
  new DataView(hash.buffer).getUint32(0) >>> (32 - SLOT_BITS)

/** Finds the counters of a try at an account (its e-mail address, lower case) from a network. */
export async function guessSlots(
  keyedHash: KeyedHash,
  account: string,
  { name, wideName, factor }: Network,
): Promise<GuessSlots> {
  const [ofAccount, ofNetwork, ofWide, ofPair] = await Promise.all([
    keyedHash(`account ${account}`),
    keyedHash(`network ${name}`),
    wideName === null ? null : keyedHash(`network ${wideName}`),
    keyedHash(`pair ${name} ${account}`),
  ])
  return {
    account: slotOf(ofAccount),
    network: slotOf(ofNetwork),
    wideNetwork: ofWide && slotOf(ofWide),
    pair: slotOf(ofPair),
    networkHash: factor === 1 ? ofNetwork.slice(0, 16) : null,
    factor,
  }
}
