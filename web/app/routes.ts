import { index, layout, route } from '@remix-run/route-config'
import type { RouteConfig } from '@remix-run/route-config'

/** Every page of the site. */
export default [
  index('routes/home.tsx'),
  route('tracks/:trackId', 'routes/track.tsx'),
  route('search', 'routes/search.tsx'),
  route('search/suggestions', 'routes/search-suggestions.tsx'),
  route('artists/:artistId', 'routes/artist.tsx'),
  route('albums/:albumId', 'routes/album.tsx'),
  route('genres/:slug', 'routes/genre.tsx'),
  route('credits', 'routes/credits.tsx'),
  route('login', 'routes/login.tsx'),
  route('register', 'routes/register.tsx'),
  route('logout', 'routes/logout.tsx'),
  route('account', 'routes/account.tsx'),
  route('history', 'routes/history.tsx'),
  layout('routes/admin.tsx', [
    route('admin', 'routes/admin-index.tsx'),
    route('admin/upload', 'routes/admin-upload.tsx'),
  ]),
  route('*', 'routes/not-found.tsx'),
] satisfies RouteConfig
