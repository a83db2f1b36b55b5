import { CannotStart } from '../cannot-start.ts'
import type { Permissions } from '../stack/plan.ts'

/** What may follow `npm start --` and `npm run stack -- up`. */
export const FLAGS = '[--migrate] [--accounts] [--demo] [--transcoder]'

/**
 * Reads what a person allows to be done to parts that the stack has not made itself.
 *
 * @throws CannotStart naming an argument that is none of these
 */
export function readPermissions(args: readonly string[]): Permissions {
  const permissions: Permissions = {
    migrate: false,
    accounts: false,
    demo: false,
    transcoder: false,
  }
  for (const arg of args) {
    const name = arg.slice(2)
    if (!arg.startsWith('--') || !isPermission(name, permissions))
      throw new CannotStart(`there is no ${arg}; what can be asked for: ${FLAGS}`)
    permissions[name] = true
  }
  return permissions
}

function isPermission(name: string, permissions: Permissions): name is keyof Permissions {
  return Object.hasOwn(permissions, name)
}
