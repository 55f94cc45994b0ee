import { animeEndpoints } from './api/anime.ts'
import { guard } from './api/call.ts'
import { forumEndpoints } from './api/forum.ts'
import { listEndpoints } from './api/lists.ts'
import { mangaEndpoints } from './api/manga.ts'
import { userEndpoints } from './api/users.ts'
import { createCatalogue } from './catalogue/generate.ts'
import { createLibrary } from './catalogue/lists.ts'
import { authorizeRoutes } from './oauth/authorize.ts'
import type { GrantStore } from './oauth/store.ts'
import { tokenRoutes } from './oauth/token.ts'
import type { Clock, MalClient, MalSettings, Random } from './options.ts'
import { loginRoutes } from './pages/login.ts'
import { pictureRoutes } from './pages/pictures.ts'
import { profileRoutes } from './pages/profile.ts'
import { createSessions } from './pages/session.ts'
import { controlRoutes } from './server/control.ts'
import type { Route } from './server/exchange.ts'
import type { RequestLog } from './server/request-log.ts'
import { createThrottle } from './server/throttle.ts'

export interface SiteNeeds {
  readonly seed: number
  readonly clock: Clock
  readonly random: Random
  readonly settings: MalSettings
  readonly clients: ReadonlyMap<string, MalClient>
  readonly grants: GrantStore
  readonly log: RequestLog
  readonly control: boolean
}

/** Everything that answers: the API, authorization and the pages, put together. */
export function createSite(needs: SiteNeeds): { routes: readonly Route[]; generated(): number } {
  const { seed, clock, random, settings, clients, grants, log } = needs
  const catalogue = createCatalogue(seed)
  const library = createLibrary({ catalogue })
  const sessions = createSessions({ random })
  const take = createThrottle({ clock, settings })

  const endpoints = [
    ...animeEndpoints({ catalogue, library, settings }),
    ...mangaEndpoints({ catalogue, library, settings }),
    ...listEndpoints({ catalogue, library, settings, clock }),
    ...userEndpoints({ catalogue, library, settings }),
    ...forumEndpoints(),
  ]
  const routes = [
    ...guard({ clients, grants, settings, take }, endpoints),
    ...authorizeRoutes({ clients, grants, sessions, settings }),
    ...tokenRoutes({ clients, grants, settings }),
    ...loginRoutes({ sessions }),
    ...profileRoutes({ clients, grants, sessions }),
    ...pictureRoutes,
    ...(needs.control ? controlRoutes({ settings, log, grants, generated: catalogue.generated }) : []),
  ]
  return { routes, generated: catalogue.generated }
}
