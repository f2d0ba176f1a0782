/**
 * Who speaks OpenAI's API under hosts of its own. One line each; the small differences (names
 * of cached and reasoning tokens, where usage stands) are read by the shape for all of them.
 */
import { openaiLike } from './openai.js'
import type { Provider } from './provider.js'

function under(domain: string): (host: string) => boolean {
  const tail = `.${domain}`
  return (host) => host.endsWith(tail)
}

function oneOf(...hosts: readonly string[]): (host: string) => boolean {
  return (host) => hosts.includes(host)
}

const azureModels = under('openai.azure.com')
const azureFoundry = under('services.ai.azure.com')
const azureCognitive = under('cognitiveservices.azure.com')

export const openaiFamily: readonly Provider[] = [
  openaiLike(
    'azure-openai',
    (host) => azureModels(host) || azureFoundry(host) || azureCognitive(host),
  ),
  openaiLike('groq', oneOf('api.groq.com')),
  openaiLike('together', oneOf('api.together.xyz', 'api.together.ai')),
  openaiLike('openrouter', oneOf('openrouter.ai')),
  openaiLike('deepseek', oneOf('api.deepseek.com')),
  openaiLike('xai', (host) => host === 'api.x.ai' || under('api.x.ai')(host)),
  openaiLike('perplexity', oneOf('api.perplexity.ai')),
  openaiLike('fireworks', oneOf('api.fireworks.ai')),
  openaiLike('cerebras', oneOf('api.cerebras.ai')),
  openaiLike(
    'huggingface',
    oneOf('router.huggingface.co', 'api-inference.huggingface.co'),
  ),
  openaiLike('z.ai', oneOf('api.z.ai', 'open.bigmodel.cn')),
  openaiLike('moonshot', oneOf('api.moonshot.ai', 'api.moonshot.cn')),
  openaiLike('deepinfra', oneOf('api.deepinfra.com')),
  openaiLike('dashscope', oneOf('dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com')),
  openaiLike('minimax', oneOf('api.minimax.io')),
  openaiLike('nvidia', oneOf('integrate.api.nvidia.com')),
  openaiLike('sambanova', oneOf('api.sambanova.ai')),
  openaiLike('github-models', oneOf('models.github.ai', 'models.inference.ai.azure.com')),
]
