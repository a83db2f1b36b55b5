import { resolve } from 'node:path'
import { readStackInfo } from '@mist/local/stack/info'
import type { StackInfo } from '@mist/local/stack/info'
import { root, stackDir } from './stack-dir.ts'

type Running = StackInfo & { [who in 'admin' | 'listener']: NonNullable<StackInfo[who]> }

function running(): Running {
  const info = readStackInfo(stackDir)
  if (info?.ready !== true) {
    throw new Error(`No stack is running in ${stackDir}: start one with \`npm run stack -- up\``)
  }
  const { admin, listener } = info
  if (admin === null || listener === null)
    throw new Error(`The stack in ${stackDir} has no accounts to sign in with`)
  return { ...info, admin, listener }
}

/** The stack that the journeys go through; `STACK_DIR` says where it lives. */
export const stack = running()

/** Path of one of the recordings of the demo catalogue. */
export function recording(name: string): string {
  return resolve(root, 'local/demo', name)
}

/** Path of one of the short files of the kind that people report. */
export function fieldFile(name: string): string {
  return resolve(root, 'transcoder/fixtures/field', name)
}
