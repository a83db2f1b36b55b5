/** Where a request comes from, as far as limits are concerned. */
export type Network = {
  /** An IPv4 address, or the /64 of an IPv6 address, in one spelling. */
  name: string
  /** The /48 around an IPv6 network; null for IPv4. */
  wideName: string | null
  /** Of how many networks this one stands for. */
  factor: number
}

/**
 * Visitors whose networks are unknown, such as all of a Worker that no edge stands before: they share one
 * limit, which is therefore that of a hundred networks.
 */
const INDISTINCT: Network = { name: 'indistinct', wideName: null, factor: 100 }

/** All requests of all Workers to zones that are not their own come from here. */
const OTHER_WORKERS = '2a06:98c0:3600:0'

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

/** The eight groups of an IPv6 address, in lower case and without leading zeros; null: not one. */
function ipv6Groups(address: string): string[] | null {
  // The URL standard's parser knows every spelling (`::`, dotted quads) and writes them all alike.
  const url = `http://[${address}]`
  if (!URL.canParse(url)) return null
  const { hostname } = new URL(url)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const before = head === '' ? [] : head.split(':')
  if (tail === undefined) return before
  const after = tail === '' ? [] : tail.split(':')
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}

/** The IPv4 address inside `::ffff:a.b.c.d`; null when it is none. */
function mappedIpv4(groups: string[]): string | null {
  if (!groups.slice(0, 5).every((group) => group === '0') || groups[5] !== 'ffff') return null
  const bytes = groups.slice(6).flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
  return bytes.join('.')
}

/**
 * Tells the network of an address: one customer has one IPv4 address, but at least 2⁶⁴ IPv6 addresses
 * (RFC 6177), so there the /64 counts, and beyond it the /48.
 *
 * @param address as in `CF-Connecting-IP`; anything that is not an address counts as {@link INDISTINCT}
 */
export function networkOf(address: string | null): Network {
  const text = address?.trim() ?? ''
  if (IPV4.test(text)) return { name: text, wideName: null, factor: 1 }
  const groups = text.includes(':') ? ipv6Groups(text) : null
  if (!groups) return INDISTINCT
  const ipv4 = mappedIpv4(groups)
  if (ipv4 !== null) return { name: ipv4, wideName: null, factor: 1 }
  const name = groups.slice(0, 4).join(':')
  if (name === OTHER_WORKERS) return INDISTINCT
  return { name: `${name}::/64`, wideName: `${groups.slice(0, 3).join(':')}::/48`, factor: 1 }
}
