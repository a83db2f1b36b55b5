import type { Deps } from '../deps.ts'

/** Runs every minute: a plan that has changed reaches its listeners. Costs a look where none has. */
export async function refreshPlans({ repos, log }: Deps): Promise<void> {
  const meters = await repos.housekeeping.refreshMeters()
  if (meters > 0) log.info('plans-refreshed', { meters })
}
