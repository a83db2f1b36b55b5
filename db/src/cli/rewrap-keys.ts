import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { parseKeyRing } from '../contract/content-keys.ts'
import { rewrapKeys } from '../rewrap-keys.ts'
import * as schema from '../schema/index.ts'

// Rotation: put a new entry first into CONTENT_KEY_SECRET of Worker and transcoder, run this with the
// same value, then drop the old entry.

const { DATABASE_URL, CONTENT_KEY_SECRET } = process.env
if (DATABASE_URL === undefined || CONTENT_KEY_SECRET === undefined) {
  process.stderr.write('Set DATABASE_URL and CONTENT_KEY_SECRET (new key first, old ones after).\n')
  process.exit(2)
}

const client = new pg.Client({ connectionString: DATABASE_URL })
await client.connect()
try {
  const count = await rewrapKeys(drizzle(client, { schema }), parseKeyRing(CONTENT_KEY_SECRET), {
    command: 'npm run rewrap-keys',
  })
  process.stdout.write(`${count} ${count === 1 ? 'key' : 'keys'} rewrapped\n`)
} finally {
  await client.end()
}
