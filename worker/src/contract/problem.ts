import { ProblemMembers } from '@mist/db/contract'
import { z } from 'zod'

/** A refusal (RFC 9457); `type` ends in the code. */
export const ProblemShape = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    ...ProblemMembers.shape,
  })
  .meta({ id: 'Problem' })
export type ProblemShape = z.infer<typeof ProblemShape>
