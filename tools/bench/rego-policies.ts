/** Policies and inputs of the Rego bench: what a household would write, and what an agent sends. */
import type { SourceFile } from '@yori/rego'

const bedtime = `package yori.bedtime

import rego.v1

default deny := false

exempt_groups := {"parents", "adults"}

deny if {
	late
	not exempt
}

late if input.context.hour >= 21
late if input.context.hour < 6

exempt if input.device.group in exempt_groups
exempt if {
	some device in data.exempt_devices
	device.mac == input.device.mac
}

message := sprintf("%s is after bedtime at %d o'clock", [input.device.hostname, input.context.hour]) if deny
`

const models = `package yori.models

import rego.v1

blocked := {"gpt-4o", "o1-pro", "claude-opus-4"}

allowed_by_group := {
	"children": {"gpt-4o-mini", "claude-haiku"},
	"parents": {"gpt-4o", "gpt-4o-mini", "claude-haiku", "claude-opus-4"},
}

deny contains msg if {
	input.request.body.model in blocked
	not allowed
	msg := $"model {input.request.body.model} is not for {input.device.group}"
}

deny contains "too many tools" if count(object.get(input.request.body, "tools", [])) > 32

deny contains msg if {
	some i, message in input.request.body.messages
	message.role == "user"
	is_string(message.content)
	contains(lower(message.content), "ignore all previous instructions")
	msg := $"message {i} tries to override its instructions"
}

allowed if input.request.body.model in allowed_by_group[input.device.group]
`

const quota = `package yori.quota

import rego.v1

limits := {"children": 50, "guests": 20}

limit := object.get(limits, input.device.group, 200)

used := input.context.request_count_today

alert contains msg if {
	used * 100 >= limit * 80
	msg := sprintf("%d of %d requests used", [used, limit])
}

deny contains msg if {
	used >= limit
	msg := sprintf("all %d requests of today are used", [limit])
}

deny contains "the conversation is too long" if total_length > 2000000

total_length := sum([count(message.content) |
	some message in input.request.body.messages
	is_string(message.content)
])
`

export const policies: readonly SourceFile[] = [
  { name: 'bedtime.rego', text: bedtime },
  { name: 'models.rego', text: models },
  { name: 'quota.rego', text: quota },
]

/** A thousand million turns: three nested loops over a thousand. */
export const runaway: SourceFile = {
  name: 'runaway.rego',
  text: `package yori.runaway

import rego.v1

xs := numbers.range(1, 1000)

deny if {
	some a in xs
	some b in xs
	some c in xs
	a + b + c < 0
}
`,
}

/** An exchange whose body is about `bytes` long: a conversation in turns of 400 characters. */
export function inputOf(bytes: number): unknown {
  const text =
    'Could you explain how the tides follow from the pull of the moon? '.repeat(6)
  const messages: { role: string; content: string }[] = []
  for (let length = 900; length < bytes; length += text.length + 40) {
    messages.push({
      role: messages.length % 2 === 0 ? 'user' : 'assistant',
      content: text,
    })
  }
  return {
    request: {
      id: '0b7c6f0e-3f43-4a6c-9d0b-111111111111',
      timestamp: '2026-03-14T21:30:00Z',
      method: 'POST',
      path: '/v1/chat/completions',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'OpenAI/Python 1.40.0',
      },
      body: { model: 'gpt-4o', temperature: 0.2, stream: true, messages },
      body_state: 'whole',
      call: true,
    },
    device: {
      ip: '192.168.1.20',
      mac: '02:00:00:00:00:20',
      hostname: 'tablet',
      group: 'children',
    },
    endpoint: { domain: 'api.openai.com', provider: 'openai' },
    context: {
      hour: 21,
      day_of_week: 6,
      is_weekend: true,
      request_count_today: 43,
      request_count_this_hour: 7,
    },
  }
}
