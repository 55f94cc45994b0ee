/** Words of the pages on which people let a terminal in that shows them a code. */
export const deviceWords = {
  'device.title': 'Let a terminal in',
  'device.lead': 'Enter the code that your terminal shows.',
  'device.code': 'Code',
  'device.codeHint': 'Eight letters, like BCDF-GHJK.',
  'device.beware':
    'Go on only if you have just started this yourself. Whoever sent you a code or a link, in a message or by telephone, wants to use this gate as you.',
  'device.continue': 'Continue',
  'device.confirmTitle': 'Let {client} in?',
  'device.asks': 'wants to use this gate as you, from another device.',
  'device.compare': 'Is this the code that your terminal shows?',
  'device.sameName': 'Any program can use this name. Only the code tells that it is yours which asks.',
  'device.from': 'Where it asked from',
  'device.allow': 'The code is the same: allow',
  'device.refuse': 'Refuse',
  'device.allowedTitle': 'The terminal is let in',
  'device.allowed': 'Go back to your terminal: it goes on by itself within a few seconds.',
  'device.refusedTitle': 'The terminal is not let in',
  'device.refused': 'It was told that you refused. Nothing else has changed.',
  'device.clients': 'See the clients you allowed',
}
