import { resolve } from 'node:path'

/** The repository. */
export const root = resolve(import.meta.dirname, '../..')

/** Where the stack lives that the journeys go through. */
export const stackDir = resolve(root, process.env['STACK_DIR'] ?? '.local')
