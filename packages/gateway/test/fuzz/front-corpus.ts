/**
 * Requests that once were interesting, as bytes in Latin-1. `{{host}}` is the gate's own, `{{key}}` the key and `{{cookie}}`
 * the browser session of who sends it. Whatever breaks something is added here.
 */
export const corpus: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET /health/ready HTTP/1.1\r\nHost: anybody\r\n\r\n',
  'GET /account HTTP/1.1\r\nHost: {{host}}\r\nCookie: {{cookie}}\r\nAccept: text/html\r\n\r\n',
  'GET /connect/echo?t=1.2.3&scope=%00 HTTP/1.1\r\nHost: {{host}}\r\nCookie: {{cookie}}\r\n\r\n',
  // Here, and not among the places: with the token of its form it would sign the sender out.
  'POST /sign-out HTTP/1.1\r\nHost: {{host}}\r\nCookie: {{cookie}}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\ncsrf=x',
  'GET /authorize?client_id=x&redirect_uri=javascript:1&response_type=code&state=%ff HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET /.well-known/oauth-protected-resource/mcp/..%2f..%2f HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET /assets/../../etc/passwd HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET /welcome/%E0%A4%A HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET /callback?state=&code=&iss= HTTP/1.1\r\nHost: {{host}}\r\nCookie: {{cookie}}\r\n\r\n',
  'GET /interaction/__proto__ HTTP/1.1\r\nHost: {{host}}\r\nCookie: {{cookie}}\r\n\r\n',
  'GET /metrics HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{key}}\r\n\r\n',
  'GET /admin/api/users?user=%27 HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{key}}\r\n\r\n',
  'PUT /admin/api/tokens/echo HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{key}}\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"token":"x"}',
  'POST /token HTTP/1.1\r\nHost: {{host}}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 46\r\n\r\ngrant_type=authorization_code&code=%&code=%00&',
  'POST /register HTTP/1.1\r\nHost: {{host}}\r\nContent-Type: application/json\r\nContent-Length: 46\r\n\r\n{"redirect_uris":["http://127.0.0.1/"],"x":{}}',
  'POST /revoke HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Basic OjpAOg==\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n\r\ntoken=%C',
  'POST /sign-in HTTP/1.1\r\nHost: {{host}}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 25\r\n\r\nname=%00&password=&csrf=x',
  'POST /mcp HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{key}}\r\nContent-Type: application/json\r\nContent-Length: 46\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  'POST /mcp HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{key}}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2e;a="\\""\r\n{"jsonrpc":"2.0","id":1,"method":"tools/list"}\r\n0\r\nX-Trailer: x\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: {{host}}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n',
  'POST /mcp HTTP/1.1\r\nHost: {{host}}\r\nExpect: 100-continue\r\nAuthorization: Bearer {{key}}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  'POST /mcp HTTP/1.1\r\nHost: {{host}}\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n',
  'GET /mcp HTTP/1.1\r\nHost: {{host}}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: {{host}}\r\nOrigin: null\r\nAccess-Control-Request-Method: POST\r\n\r\n',
  'CONNECT {{host}} HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET http://{{host}}/mcp HTTP/1.1\r\nHost: {{host}}\r\n\r\n',
  'GET //evil.example/%2e%2e HTTP/1.1\r\nHost: {{host}}\r\nX-Forwarded-Host: evil.example\r\nForwarded: for="[::1]:x"\r\n\r\n',
  'HEAD /sign-in?next=//evil.example HTTP/1.0\r\n\r\n',
]
