import { OWNER_MARK_KEY } from '@mist/db/contract'
import { z } from 'zod'

/** What an owner mark says: an object in each bucket, `.mist/owner.json`. */
export const OwnerMark = z.object({
  /** The installation to which the bucket belongs. */
  installation: z.uuid(),
  /** Written anew by each sweep; a database that does not know it is not the one that swept last. */
  token: z.string().min(1),
  writtenAt: z.iso.datetime(),
})
export type OwnerMark = z.infer<typeof OwnerMark>

/** What was found in a bucket. */
export type Finding =
  | { kind: 'marked'; mark: OwnerMark; etag: string }
  /** Something is under the mark's key that is no mark. */
  | { kind: 'unreadable'; etag: string }
  | { kind: 'empty' }
  /** No mark, but objects; `isKnown`: the database knows at least one of them. */
  | { kind: 'unmarked'; isKnown: boolean }

/** Whose this process is: the database's row, and the setting INSTALLATION_ID. */
export type Identity = {
  id: string
  isClaimed: boolean
  markTokens: readonly string[]
  setting: string | null
}

export type Verdict =
  /** All agree: reading, writing and deleting are fine. */
  | { kind: 'ours' }
  /** An empty bucket without a mark: whoever claims it first owns it. */
  | { kind: 'claimable' }
  /** Reading and writing are fine, deleting is not. */
  | { kind: 'no-deleting'; reason: string }
  | { kind: 'refused'; reason: string }

const SHARE = 'To read and write there all the same, without ever deleting, set SHARE_BUCKETS=true.'

/**
 * Decides what may be done with a bucket. Sentences name it, its owner and the way out.
 *
 * @param name what the bucket is called in the store
 */
export function judge(name: string, found: Finding, identity: Identity): Verdict {
  const { id, setting } = identity
  if (found.kind === 'unreadable')
    return {
      kind: 'refused',
      reason:
        `The owner mark of the bucket ${name} (${OWNER_MARK_KEY}) can't be read. If the bucket belongs ` +
        `to this installation, write the mark anew: npm run bucket -- claim --from=unreadable. ${SHARE}`,
    }
  const owner = found.kind === 'marked' ? found.mark.installation : null
  if (setting !== null && setting !== id && (identity.isClaimed || owner !== null))
    return { kind: 'refused', reason: contradiction(name, owner, identity, setting) }
  if (owner !== null && owner !== id)
    return {
      kind: 'refused',
      reason:
        `The bucket ${name} belongs to installation ${owner}; this database belongs to ${id}. ` +
        `Check DATABASE_URL and the names of the buckets. If the bucket was handed over: ` +
        `npm run bucket -- claim --from=${owner}. ${SHARE}`,
    }
  if (found.kind === 'empty') return { kind: 'claimable' }
  if (found.kind === 'unmarked')
    return found.isKnown
      ? {
          kind: 'no-deleting',
          reason:
            `The bucket ${name} bears no owner mark yet, so nothing in it is deleted. ` +
            `Claim it once: npm run bucket -- claim.`,
        }
      : {
          kind: 'refused',
          reason:
            `The bucket ${name} is not empty, bears no owner mark, and holds nothing that this database ` +
            `knows: it may be somebody else's. Check DATABASE_URL and the names of the buckets. ` +
            `If it is yours: npm run bucket -- claim. ${SHARE}`,
        }
  if (setting === null)
    return {
      kind: 'no-deleting',
      reason: `INSTALLATION_ID is not set, so nothing is deleted from ${name}. Set INSTALLATION_ID=${id}.`,
    }
  return identity.markTokens.includes(found.mark.token)
    ? { kind: 'ours' }
    : {
        kind: 'no-deleting',
        reason:
          `Another database has swept the bucket ${name} since (${found.mark.writtenAt}): this one was ` +
          `restored from a backup, or one of the two is a copy. Nothing is deleted until you say that ` +
          `this is the one that counts: npm run bucket -- claim.`,
      }
}

function contradiction(
  name: string,
  owner: string | null,
  identity: Identity,
  setting: string,
): string {
  const bucket =
    owner === null ? `The bucket ${name} bears no mark` : `The bucket ${name} belongs to ${owner}`
  const database = identity.isClaimed
    ? `the database belongs to installation ${identity.id}`
    : `the database is new and belongs to nobody yet`
  const way =
    owner === setting
      ? `Is DATABASE_URL right? If the database was lost and this is its successor: npm run bucket -- claim --from=${owner}.`
      : `If this machine is part of that installation, set INSTALLATION_ID=${owner ?? identity.id}. If it is ` +
        `another one, give it buckets of its own (S3_BUCKET, S3_ORIGINALS_BUCKET)` +
        (identity.isClaimed
          ? ` and make the database its own: npm run bucket -- claim --from=${identity.id}.`
          : '.')
  return `${bucket}; ${database}; INSTALLATION_ID says ${setting}. ${way} ${SHARE}`
}
