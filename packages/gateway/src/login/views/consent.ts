import { html } from 'hono/html'
import type { Interaction } from '../../authserver/interactions.ts'
import { cleanText } from '../../pages/clean.ts'
import type { Html } from '../../pages/html.ts'
import type { Viewer } from '../../pages/page.ts'
import { button, csrfField, hiddenField, notice } from '../../pages/parts.ts'
import { say } from '../../pages/words.ts'
import { shownName } from './sign-in.ts'

/** A server of the gate, as far as a user is told of it. */
export interface ShownServer {
  readonly id: string
  readonly description?: string | undefined
}

export interface ConsentView {
  readonly interaction: Interaction
  /** Whether the operator has set the client up. */
  readonly isKnown: boolean
  readonly viewer: Viewer
  /** Binds the answer to this browser and this question. */
  readonly csrf: string
  readonly asked: Asked
}

/** What the client asks for: every server, later ones too, or those it names. */
export interface Asked {
  readonly all: boolean
  readonly servers: readonly ShownServer[]
}

/**
 * Works out what a client asks for from the resources it named, which the authorization server has found to be ours:
 * on loopback under any of its names, so that only their paths count.
 */
export function askedFor(resources: readonly string[], servers: readonly ShownServer[]): Asked {
  const paths = resources.map((resource) => URL.parse(resource)?.pathname)
  const all = paths.length === 0 || paths.includes('/mcp')
  return { all, servers: all ? servers : servers.filter(({ id }) => paths.includes(`/mcp/${id}`)) }
}

/**
 * The page that asks whether a client may. Where its access is sent is what tells one client from another: the name
 * is what it says of itself, so it stands in quotation marks of ours and is never a link.
 *
 * @see RFC 8252 §8.6 and RFC 7591 §5 on what a client may claim
 */
export function consentPage({ interaction, isKnown, viewer, csrf, asked }: ConsentView): Html {
  const { uid, redirectUri, redirectHost, isLocalRedirect } = interaction
  const client = shownName(interaction.clientName)
  return html`<h1>${say('consent.title', { client })}</h1>
    <div class="card">
      <p class="asks"><strong>${client}</strong> ${say('consent.asks')}</p>
      <h2>${say('consent.from')}</h2>
      <p>${sourceOf(interaction, isKnown)}</p>
      <h2>${say('consent.answers')}</h2>
      <p class="host">${cleanText(redirectHost, 120)}</p>
      <p class="hint">${cleanText(redirectUri, 200)}</p>
      ${isLocalRedirect && notice('warning', say('consent.loopback'))}
      <h2>${say('consent.may')}</h2>
      ${permissions(asked)}
      <p class="hint">${say('consent.stays')}</p>
      <form method="post" action="/interaction/${uid}">
        ${csrfField(csrf)}
        <div class="choices">
          ${button(say('consent.refuse'), { kind: 'plain', name: 'decision', value: 'refuse' })}
          ${button(say('consent.allow'), { kind: 'plain', name: 'decision', value: 'allow' })}
        </div>
      </form>
    </div>
    <form class="actions" method="post" action="/sign-out">
      ${csrfField(viewer.csrf)} ${hiddenField('next', `/interaction/${uid}`)}
      <span class="who">${say('consent.signedInAs', { name: viewer.name })}</span>
      ${button(say('consent.switch'), { kind: 'quiet' })}
    </form>`
}

/** Who vouches for a client. */
export function sourceOf({ isMetadataClient, clientId }: Source, isKnown: boolean): string {
  if (isKnown) return say('consent.known')
  const host = isMetadataClient ? URL.parse(clientId)?.host : undefined
  return host === undefined ? say('consent.itself') : say('consent.verifiedBy', { host })
}

type Source = Pick<Interaction, 'isMetadataClient' | 'clientId'>

/** What a client will be able to do. */
export function permissions({ all, servers }: Asked): Html {
  if (servers.length === 0) return html`<p>${say('consent.noServers')}</p>`
  return html`<p>${say(all ? 'consent.mayAll' : 'consent.maySome')}</p>
    <ul>
      ${servers.map(
        ({ id, description }) =>
          html`<li><strong>${id}</strong>${description !== undefined && ` – ${cleanText(description, 120)}`}</li>`,
      )}
    </ul>
    ${all && html`<p class="hint">${say('consent.later')}</p>`}`
}
