import { redirect } from '@remix-run/cloudflare'

/** Uploading is the only admin page so far. */
export const loader = () => redirect('/admin/upload')
