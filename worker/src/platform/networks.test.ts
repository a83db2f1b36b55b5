import { expect, test } from 'vitest'
import { networkOf } from './networks.ts'

test.each([
  ['192.0.2.9', '192.0.2.9', null],
  [' 192.0.2.9 ', '192.0.2.9', null],
  ['::ffff:192.0.2.9', '192.0.2.9', null],
  ['::FFFF:c000:209', '192.0.2.9', null],
  ['0:0:0:0:0:ffff:192.0.2.9', '192.0.2.9', null],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8:1:2:3:4:192.0.2.9', '2001:db8:1:2::/64', '2001:db8:1::/48'],
  ['2001:db8::', '2001:db8:0:0::/64', '2001:db8:0::/48'],
  ['::1', '0:0:0:0::/64', '0:0:0::/48'],
])('%s is of the network %s', (address, name, wideName) => {
  expect(networkOf(address)).toEqual({ name, wideName, factor: 1 })
})

test.each([
  null,
  '',
  'unknown',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.9, 198.51.100.1',
  '192.0.2.9.',
  '192.0.2.9:443',
  '2001:db8::1%eth0',
  '2001:db8:::1',
  '1:2:3:4:5:6:7:8:9',
  // All Workers that ask from another zone.
  '2a06:98c0:3600::103',
])('%j is an indistinct network', (address) => {
  expect(networkOf(address)).toEqual({ name: 'indistinct', wideName: null, factor: 100 })
})
