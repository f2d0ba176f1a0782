/** The doors of the Model Context Protocol: to the gateway of agents, and to servers. */
import { choice, count, fieldsSet, flag, item, section, text } from './schema-parts.js'

const server = item('One server of MCP.', ['url'], {
  url: text({
    format: 'http-url',
    description:
      'Where it takes messages (streamable HTTP), or opens its stream (HTTP+SSE). In the ' +
      'clear only where this says http. An address that is written here, or localhost, is ' +
      'dialled even where it is private.',
  }),
  tools: {
    type: 'object',
    propertyNames: { format: 'label' },
    additionalProperties: choice({
      enum: ['allow', 'deny', 'ask'],
      description:
        'allow leads a call on, deny never does, ask does once `yori approve` was told its ' +
        'code. They hold in every mode.',
    }),
    maxProperties: 1000,
    default: {},
    description: 'What becomes of calls of its tools; * stands for those not named.',
  },
  pin: flag(
    true,
    'A tool asks that describes itself otherwise than when it was first seen.',
  ),
  results: choice({
    enum: ['pass', 'note', 'refuse'],
    default: 'note',
    description:
      'Where secrets, or orders to the model, stand in what its tools give back: note says so ' +
      'in the record, refuse also keeps the result back; pass does not look.',
  }),
  calls_per_minute: count({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'Calls of its tools by one device; 0 is no limit.',
  }),
  tool_calls_per_minute: count({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'Calls of one tool by one device; 0 is no limit.',
  }),
  headers: fieldsSet,
})

export const mcpSchema = section(
  'The doors for clients of the Model Context Protocol: /mcp/... on the listener.',
  {
    gateway: section(
      'Where /mcp/... leads; each request goes with a proof of the key (DPoP, RFC 9449).',
      {
        url: text({
          format: 'http-url',
          description:
            'The gateway of the agents; the path goes on as it is asked, /mcp included. In ' +
            'the clear only where this says http. An address that is written here, or ' +
            'localhost, is dialled even where it is private.',
        }),
        agent_id: text({
          format: 'agent-id',
          description: 'Who asks: the token is fo_agent_<agent_id>.',
        }),
        key_file: text({
          format: 'path',
          description: 'The private key of the agent, on P-256, as PEM.',
        }),
        scheme: choice({
          enum: ['Bearer', 'DPoP'],
          default: 'Bearer',
          description: 'How the field Authorization calls the token.',
        }),
      },
    ),
    servers: {
      type: 'object',
      propertyNames: { format: 'door-name' },
      additionalProperties: server,
      maxProperties: 256,
      default: {},
      description: 'Servers of MCP, by the name of /mcp/servers/NAME.',
    },
  },
)
