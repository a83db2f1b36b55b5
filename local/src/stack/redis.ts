import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivately } from './private-files.ts'

/**
 * Writes the configuration of the embedded Redis, with its password, and answers the command's
 * arguments. The password is in a file, because arguments can be read by every user of the machine.
 */
export function configureRedis(options: { port: number; dir: string; password: string }): string[] {
  const { port, dir, password } = options
  mkdirSync(dir, { recursive: true })
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    // An acknowledged job survives a crash, and BullMQ must never lose a key.
    'appendonly yes',
    'maxmemory-policy noeviction',
    'save ""',
  ]
  const file = join(dir, 'redis.conf')
  writePrivately(file, `${lines.join('\n')}\n`)
  return [file]
}
