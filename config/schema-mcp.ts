/** The doors of the Model Context Protocol: to the gateway of agents, and to servers. */
import { choice, section, text } from './schema-parts.js'

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
  },
)
