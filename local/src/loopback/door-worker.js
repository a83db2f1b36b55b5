// Stands before a Worker in workerd: lets in who asks for this port of this machine by its own name.
import { isOwnHost } from './refusal.js'

export default {
  fetch(request, env) {
    if (isOwnHost(request.headers.get('host'), env.PORT)) return env.NEXT.fetch(request)
    return new Response(`this port answers to localhost:${env.PORT} only\n`, { status: 403 })
  },
}
