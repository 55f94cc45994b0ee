/**
 * A value of an upstream's configuration (an environment variable, an argument, a URL, a header).
 * `text` is the same for everybody; the others are filled in for each call, on a copy, and never written
 * back to the shared configuration.
 */
export type Template =
  | { readonly kind: 'text'; readonly text: string }
  /** `{"$userToken": "Bearer {{token}}"}`: every `{{token}}` becomes the caller's own token. */
  | { readonly kind: 'userToken'; readonly pattern: string }
  /** `{"$user": "id"}` or `{"$user": "notes-{{id}}.json"}`: every `{{id}}` becomes the caller's id. */
  | { readonly kind: 'user'; readonly pattern: string }

/** What a template may draw on: who calls and, where the upstream asks for one, their token. */
export interface TemplateValues {
  readonly userId: string
  readonly token: string | undefined
}

const TOKEN = '{{token}}'
const USER_ID = '{{id}}'

/** Answers whether the value differs from user to user. */
export function isPersonal(template: Template): boolean {
  return template.kind !== 'text'
}

/**
 * Fills a template in. The token is inserted as it is and never expanded again, whatever it contains.
 *
 * @throws {TypeError} where a token is needed and none was given; a caller checks for that first.
 */
export function render(template: Template, values: TemplateValues): string {
  switch (template.kind) {
    case 'text':
      return template.text
    case 'user':
      return template.pattern.split(USER_ID).join(values.userId)
    case 'userToken': {
      const { token } = values
      if (token === undefined) throw new TypeError('a template needs a token and none was given')
      return template.pattern.split(TOKEN).join(token)
    }
  }
}

/** Fills in every value of a record (environment variables or headers). */
export function renderAll(
  templates: Readonly<Record<string, Template>>,
  values: TemplateValues,
): Record<string, string> {
  const filled: Record<string, string> = {}
  for (const [name, template] of Object.entries(templates)) filled[name] = render(template, values)
  return filled
}
