import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { debianMirrors, mirrorsAmong } from './debian-mirror.ts'

test.each([
  [
    'archives that apt has seen',
    [
      'http://one.example/debian/|bookworm|Debian',
      'http://one.example/debian/|bookworm|Debian',
      'http://one.example/debian/|bookworm-updates|Debian',
      'http://two.example/debian-security/|bookworm-security|Debian',
      'https://three.example/apt/|nodistro|Somebody',
    ],
    ['http://one.example/debian/'],
  ],
  [
    'archives before the first apt-get update',
    ['http://one.example/debian/|trixie|', 'http://one.example/debian-security/|trixie-security|'],
    ['http://one.example/debian/'],
  ],
  ['Ubuntu, which has no release of Debian', ['http://one.example/ubuntu/|noble|Ubuntu'], []],
  ['discs', ['cdrom:[Debian 12]/|bookworm|Debian'], []],
  [
    "a cloud image's list of mirrors",
    ['mirror+file:/etc/apt/mirrors/debian.list|bookworm|Debian'],
    ['https://one.example/debian', 'https://two.example/debian'],
  ],
  ['nothing', [''], []],
])("Debian's mirrors are found among %s", (_, lines, expected) => {
  const list = 'https://one.example/debian\tpriority:1\nhttps://two.example/debian\n'
  expect(mirrorsAmong(lines.join('\n'), () => list)).toEqual(expected)
})

test('DEBIAN_MIRROR is preferred to what apt is configured with', () => {
  expect(debianMirrors({ DEBIAN_MIRROR: 'http://mine.example/debian' })).toEqual([
    'http://mine.example/debian',
  ])
})

test.skipIf(spawnSync('apt-get', ['--version']).status !== 0)(
  "an empty DEBIAN_MIRROR means this machine's own mirrors",
  () => {
    const ours = debianMirrors({ DEBIAN_MIRROR: '' })
    expect(ours.every((mirror) => URL.canParse(mirror))).toBe(true)
    // What apt itself would fetch from; on a Debian without one no package could be installed.
    const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(ORIGIN)'])
    expect(ours.length > 0).toBe(stdout.toString().split('\n').includes('Debian'))
  },
)
