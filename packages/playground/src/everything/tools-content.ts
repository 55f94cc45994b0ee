import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { redPixelPng, silenceWav } from './media.ts'

/** Tools that answer at once, one for each kind of content and each unusual kind of schema. */
export function registerContentTools(mcp: McpServer): void {
  mcp.registerTool('test_simple_text', { description: 'Answers with one text block.' }, () =>
    text('This is a simple text response for testing.'),
  )
  mcp.registerTool('test_image_content', { description: 'Answers with one PNG image.' }, () => ({
    content: [{ type: 'image', data: redPixelPng, mimeType: 'image/png' }],
  }))
  mcp.registerTool('test_audio_content', { description: 'Answers with one WAV sound.' }, () => ({
    content: [{ type: 'audio', data: silenceWav, mimeType: 'audio/wav' }],
  }))
  mcp.registerTool('test_embedded_resource', { description: 'Answers with one embedded resource.' }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }))
  mcp.registerTool('test_multiple_content_types', { description: 'Answers with text, image and resource.' }, () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: redPixelPng, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }))
  mcp.registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  mcp.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: contact },
    (args) => text(JSON.stringify(args)),
  )
  mcp.registerTool(
    'test_x_mcp_header',
    { description: 'Wants three of its arguments repeated as Mcp-Param-* headers.', inputSchema: mirrored },
    (args) => text(JSON.stringify(args)),
  )
}

/** A result of one text block, which is what most tools here answer with. */
export function text(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}

/** Uses every keyword that a gateway might lose on the way: it has to arrive at the client letter by letter. */
const contact = fromJsonSchema({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a JSON Schema keyword
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
})

const mirrored = z.object({
  region: z.string().meta({ 'x-mcp-header': 'Region' }),
  retries: z.int().optional().meta({ 'x-mcp-header': 'Retries' }),
  dryRun: z.boolean().optional().meta({ 'x-mcp-header': 'Dry-Run' }),
  level: z.string().optional(),
})
