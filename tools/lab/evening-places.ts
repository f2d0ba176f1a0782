/** Names and addresses of a parent's evening. */
export const API = 'api.openai.com'
export const CHAT = 'chatgpt.com'
export const PAGE_URL = 'http://yori.home.arpa/'
export const ROUTER = '192.168.77.1'
/** Of the providers, documentation addresses (RFC 5737). */
export const PROVIDER = { [API]: '198.51.100.8', [CHAT]: '198.51.100.7' } as const
