/** Words that every page shares. */
export const commonWords = {
  'gate.name': 'Sekisho',
  'gate.motto': 'Every traveller shows their own papers.',
  'nav.skip': 'Skip to the content',
  'nav.label': 'Your account',
  'nav.accounts': 'Accounts',
  'nav.clients': 'Clients',
  'nav.keys': 'Keys',
  'nav.sessions': 'Sessions',
  'nav.signOut': 'Sign out',
  'time.never': 'never',
  'problem.title': 'That did not work',
  'problem.notFound': 'There is no such page',
  'problem.notFoundFix': 'Compare the address with the link you followed.',
  'problem.request': 'Request {id}. An operator finds it in the log under this name.',
  'problem.again': 'Load the page again',
  'problem.home': 'Go to your account',
}
