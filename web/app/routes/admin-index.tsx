import { redirect } from '@remix-run/cloudflare'

/** The one thing that there is to do for an admin, until there are more. */
export const loader = () => redirect('/admin/upload')
