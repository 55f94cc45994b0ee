import { problem } from '../../base/problem.ts'
import type { Caller, Interests, Watcher, Watching, Who } from '../transport.ts'
import type { Entry, Group } from './http-group.ts'
import { createGroups, preferredEra, type GroupsNeeds } from './http-groups.ts'
import type { Link } from './http-link.ts'

/** Hears for those who watch: over one stream for each session, or for each user where the era has no sessions. */
export function createWatches(needs: GroupsNeeds) {
  const { upstream: server, links } = needs
  const groups = createGroups(needs)

  function join(watcher: Watcher, caller: Caller): Entry {
    const { client } = watcher
    const known = links.find(caller, client, preferredEra(client))
    const group = groups.groupFor(caller, client, known?.era)
    const entry = { watcher, caller, group, listener: group.listeners.add(watcher), isOver: false }
    group.entries.add(entry)
    group.caller = caller
    return entry
  }

  function leave(entry: Entry): void {
    entry.group.entries.delete(entry)
    entry.group.listeners.remove(entry.listener)
  }

  async function update(entry: Entry, interests: Interests): Promise<Interests> {
    if (entry.isOver) throw problem('upstream.unreachable', { server })
    const { wanted } = entry.listener
    entry.listener.wanted = interests
    for (const uri of interests.uris) entry.group.refused.delete(uri)
    try {
      await groups.refollow(entry.group)
    } catch (error) {
      if (entry.listener.wanted === interests) entry.listener.wanted = wanted
      throw error
    }
    return common(interests, entry.group.honoured)
  }

  /** Nothing more is heard by those: what they began with is gone. */
  function end(group: Group, isMeant: (entry: Entry) => boolean): void {
    for (const entry of group.entries) {
      if (!isMeant(entry)) continue
      entry.isOver = true
      leave(entry)
    }
  }

  function groupsOf({ tenant, userId }: Who): Group[] {
    return groups.all().filter(({ caller }) => caller.tenant === tenant && caller.userId === userId)
  }

  return {
    watch(watcher: Watcher, caller: Caller): Watching {
      const entry = join(watcher, caller)
      // A group that waits for its next try takes the newcomer along.
      if (entry.group.timer === undefined) groups.followSoon(entry.group)
      return {
        update: (interests) => update(entry, interests),
        close() {
          if (!entry.group.entries.has(entry)) return
          leave(entry)
          groups.followSoon(entry.group)
        },
      }
    },
    isWatched: (key: string): boolean => groups.find(key) !== undefined,
    /** The session of that key goes on as another. */
    renewed(key: string): void {
      const group = groups.find(key)
      if (group && !group.isAlone) restart(group)
    },
    /** The server does not speak over that link any more. */
    moved(link: Link): void {
      for (const group of groups.all()) if (group.link === link) restart(group)
    },
    /** Goes on for those only who need no credential, or can get another. */
    forget(who: Who): void {
      for (const group of groupsOf(who)) {
        end(group, ({ watcher, caller }) => watcher.renew === undefined && caller.token !== undefined)
        groups.drop(group)
        const [left] = group.entries
        if (!left) continue
        group.caller = left.caller
        group.isStale = true
        groups.later(group)
      }
    },
    forgetSession(session: string, who: Who): void {
      for (const group of groupsOf(who)) {
        end(group, ({ watcher }) => watcher.client.session === session)
        if (group.entries.size === 0) groups.drop(group)
        else groups.followSoon(group)
      }
    },
    close: groups.close,
  }

  function restart(group: Group): void {
    groups.drop(group)
    groups.followSoon(group)
  }
}

function common(a: Interests, b: Interests): Interests {
  return {
    lists: new Set([...a.lists].filter((list) => b.lists.has(list))),
    uris: new Set([...a.uris].filter((uri) => b.uris.has(uri))),
  }
}
