/** What a target asks of the gateway, and which paths never go on as they stand. */
import assert from 'node:assert/strict'
import { doorAsked, pathProblem } from '../../src/policy/doors.js'

describe('a target at the gateway', () => {
  for (const [target, expected] of [
    ['/llm/openai/v1/chat/completions', { name: 'openai', rest: '/v1/chat/completions' }],
    ['/llm/openai', { name: 'openai', rest: '/' }],
    ['/llm/openai/', { name: 'openai', rest: '/' }],
    ['/llm/openai?a=/b', { name: 'openai', rest: '/?a=/b' }],
    [
      '/llm/azure/x?api-version=1&a=%2e%2e',
      { name: 'azure', rest: '/x?api-version=1&a=%2e%2e' },
    ],
    ['/llm/openai//v1', { name: 'openai', rest: '//v1' }],
    ['/llm//v1', { name: '', rest: '/v1' }],
    ['/llm/', { name: '', rest: '/' }],
    ['/llm', undefined],
    ['/llmx/openai', undefined],
    ['/v1/chat/completions', undefined],
  ] as const)
    it(`reads ${target}`, () => assert.deepEqual(doorAsked(target), expected))

  for (const path of [
    '/v1/chat/completions',
    '/v1/files/file..name',
    '/v1beta/models/gemini-2.5-pro:generateContent?alt=sse',
    '/model/arn%3Aaws%3Abedrock%2Fx/invoke',
    '/v1/x?next=../../admin',
    '/v1/...',
    '/v1/a%2Fb',
    '/v1/.well-known',
  ])
    it(`lets ${path} pass`, () => assert.equal(pathProblem(path), undefined))

  for (const path of [
    '/..',
    '/../admin',
    '/v1/../../admin',
    '/v1/%2e%2e/admin',
    '/v1/%2E./admin',
    '/v1/.%2e/admin',
    '/v1%2f..%2fadmin',
    '/v1/%2e%2e%2fadmin',
    '/v1/..%2Fadmin',
    '/v1/%252e%252e/admin',
    '/v1/%252e%252e%252fadmin',
    '/v1/..;/admin',
    '/v1\\..\\admin',
    '/v1/%5c../..%5cadmin',
    '/v1/..?a=b',
    '/v1/./x',
    '/v1/x#/../y',
    '/v1/\u00e9',
    '/v1/x y',
  ])
    it(`stops ${path}`, () => assert.notEqual(pathProblem(path), undefined))
})
