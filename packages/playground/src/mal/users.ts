/** An emulated person. The password is no secret: the login page shows it. */
export interface User {
  readonly id: number
  readonly name: string
  readonly password: string
  readonly about: string
  readonly isPrivate: boolean
  /** How many entries the generated lists have. */
  readonly anime: number
  readonly manga: number
  readonly joinedAt: string
  readonly isSupporter: boolean
  /** What a profile says only if its owner filled it in. */
  readonly profile: Readonly<Record<'gender' | 'birthday' | 'location' | 'time_zone', string>> | undefined
}

export const users: readonly User[] = [
  user(1, 'newcomer', { about: 'Just joined: both lists are empty', joinedAt: '2026-11-01T08:00:00+00:00' }),
  user(2, 'mika', {
    about: '12 anime, 5 manga',
    anime: 12,
    manga: 5,
    profile: { gender: 'female', birthday: '1998-04', location: 'Köln / Rhein', time_zone: 'Europe/Berlin' },
  }),
  user(3, 'haru', {
    about: '1,500 anime, 300 manga',
    anime: 1_500,
    manga: 300,
    isSupporter: true,
    profile: { gender: 'non_binary', birthday: '1990-12-24', location: '横浜', time_zone: 'Asia/Tokyo' },
  }),
  user(4, 'collector', { about: '25,000 anime, 2,000 manga', anime: 25_000, manga: 2_000 }),
  user(5, 'hermit', { about: '40 anime, 20 manga, and the lists are private', anime: 40, manga: 20, isPrivate: true }),
  user(6, 'reader', { about: '300 anime, 60 manga', anime: 300, manga: 60 }),
]

export function findUser(name: string): User | undefined {
  return users.find((one) => one.name.toLowerCase() === name.toLowerCase())
}

/** For a name that this server wrote itself; a stranger's goes through {@link findUser}. */
export function requireUser(name: string): User {
  const found = findUser(name)
  if (!found) throw new Error(`there is no emulated user ${name}`)
  return found
}

function user(id: number, name: string, rest: Partial<User>): User {
  return {
    id: 9_000_000 + id,
    name,
    password: `${name}-password`,
    about: '',
    isPrivate: false,
    anime: 0,
    manga: 0,
    joinedAt: '2015-03-02T06:03:11+00:00',
    isSupporter: false,
    profile: undefined,
    ...rest,
  }
}
