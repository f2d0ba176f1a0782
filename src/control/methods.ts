/** Every method of the control plane. One more is one more file and one more line here. */
import type { Method } from './method.js'

export const METHODS: readonly Method[] = [
  {
    verb: 'GET',
    path: '/health',
    role: 'open',
    load: async () => (await import('./methods/state.js')).health,
  },
  {
    verb: 'GET',
    path: '/api/status',
    role: 'view',
    load: async () => (await import('./methods/state.js')).status,
  },
  {
    verb: 'GET',
    path: '/config',
    role: 'view',
    load: async () => (await import('./methods/state.js')).config,
  },
  {
    verb: 'GET',
    path: '/login',
    role: 'open',
    query: ['code'],
    load: async () => (await import('./methods/login.js')).openLink,
  },
  {
    verb: 'POST',
    path: '/api/login-links',
    role: 'admin',
    load: async () => (await import('./methods/login.js')).newLink,
  },
  {
    verb: 'POST',
    path: '/api/login',
    role: 'open',
    load: async () => (await import('./methods/login.js')).byPassword,
  },
  {
    verb: 'POST',
    path: '/api/logout',
    role: 'view',
    load: async () => (await import('./methods/login.js')).logout,
  },
  {
    verb: 'GET',
    path: '/api/me',
    role: 'view',
    load: async () => (await import('./methods/login.js')).me,
  },
]
