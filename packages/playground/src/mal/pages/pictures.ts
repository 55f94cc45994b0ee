import type { Reply, Route } from '../server/exchange.ts'

/** A picture for every entry, so that an interface that shows pictures has something to show. */
export const pictureRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/images/:kind/:file',
    handle: ({ params }): Reply => ({
      status: 200,
      headers: {
        'content-type': 'image/svg+xml',
        'cache-control': 'public, max-age=86400',
        'content-security-policy': "default-src 'none'",
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': '*',
      },
      body: draw(Number.parseInt(params['file'] ?? '', 10) || 0),
    }),
  },
]

function draw(id: number): string {
  const hue = (id * 47) % 360
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 225 320" width="225" height="320">
<rect width="225" height="320" fill="hsl(${hue} 45% 35%)"/>
<circle cx="${60 + (id % 100)}" cy="110" r="${30 + (id % 30)}" fill="hsl(${(hue + 40) % 360} 70% 70%)"/>
<path d="M0 ${220 + (id % 40)}L225 ${200 + (id % 70)}V320H0Z" fill="hsl(${(hue + 200) % 360} 35% 20%)"/>
</svg>
`
}
