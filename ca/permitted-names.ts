/**
 * The names that every root permits: wide and stable, so that switching a provider on later
 * needs a new issuing CA and no visit to the devices. Three kinds: domains that belong to a
 * vendor of language models, single hosts inside domains that carry much else, and names
 * inside the home. Never a parent that `tooWide` refuses: a test holds this list against it.
 */
import { normalSubtrees } from './permitted.js'

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

/** Whole registrable domains of vendors and gateways whose business is language models. */
const VENDORS = words(`
  openai.com chatgpt.com oaiusercontent.com sora.com
  anthropic.com claude.ai claude.com claudeusercontent.com
  mistral.ai cohere.com cohere.ai groq.com x.ai grok.com
  deepseek.com moonshot.ai moonshot.cn kimi.com z.ai bigmodel.cn chatglm.cn
  minimax.io minimaxi.com minimax.chat stepfun.com baichuan-ai.com lingyiwanwu.com 01.ai
  siliconflow.com siliconflow.cn qwen.ai
  perplexity.ai together.xyz together.ai fireworks.ai openrouter.ai cerebras.ai deepinfra.com
  sambanova.ai replicate.com ai21.com novita.ai hyperbolic.xyz lepton.ai baseten.co
  friendli.ai featherless.ai inference.net parasail.io targon.com chutes.ai venice.ai
  voyageai.com jina.ai reka.ai upstage.ai writer.com aleph-alpha.com inflection.ai pi.ai
  ollama.com poe.com character.ai you.com phind.com t3.chat duck.ai
  cursor.sh cursor.com codeium.com windsurf.com tabnine.com githubcopilot.com
  helicone.ai portkey.ai requesty.ai litellm.ai
`)

/** Hosts, each with what is below it, inside domains that are shared with other services. */
const HOSTS = words(`
  generativelanguage.googleapis.com aiplatform.googleapis.com cloudcode-pa.googleapis.com
  aiplatform.us.rep.googleapis.com aiplatform.eu.rep.googleapis.com
  gemini.google.com aistudio.google.com notebooklm.google.com
  openai.azure.com services.ai.azure.com models.ai.azure.com cognitiveservices.azure.com
  models.inference.ai.azure.com copilot.microsoft.com sydney.bing.com
  models.github.ai copilot-proxy.githubusercontent.com
  router.huggingface.co api-inference.huggingface.co endpoints.huggingface.cloud
  integrate.api.nvidia.com gateway.ai.cloudflare.com ai-gateway.vercel.sh
  dashscope.aliyuncs.com dashscope-intl.aliyuncs.com dashscope-us.aliyuncs.com
  ark.cn-beijing.volces.com ark.ap-southeast.volces.com ark.ap-southeast.bytepluses.com
  hunyuan.tencentcloudapi.com api.hunyuan.cloud.tencent.com
  aip.baidubce.com qianfan.baidubce.com
  api.studio.nebius.com api.studio.nebius.ai api.tokenfactory.nebius.com
  api.llama.com www.meta.ai llm.api.cloud.yandex.net
  us-south.ml.cloud.ibm.com eu-de.ml.cloud.ibm.com eu-gb.ml.cloud.ibm.com
  jp-tok.ml.cloud.ibm.com au-syd.ml.cloud.ibm.com ca-tor.ml.cloud.ibm.com
`)

const AWS_REGIONS = words(`
  us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1 ca-central-1 ca-west-1
  mx-central-1 sa-east-1 eu-central-1 eu-central-2 eu-west-1 eu-west-2 eu-west-3 eu-north-1
  eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 af-south-1
  ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2
  ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6
  ap-southeast-7
`)

const GOOGLE_REGIONS = words(`
  us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4
  northamerica-northeast1 northamerica-northeast2 southamerica-east1 southamerica-west1
  europe-central2 europe-north1 europe-southwest1 europe-west1 europe-west2 europe-west3
  europe-west4 europe-west6 europe-west8 europe-west9 europe-west12
  africa-south1 me-central1 me-central2 me-west1
  asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 asia-south1 asia-south2
  asia-southeast1 asia-southeast2 australia-southeast1 australia-southeast2
`)

/** RFC 8375 for the home, RFC 6761 for this machine. */
const OWN = ['home.arpa', 'localhost']

export const permittedNames: readonly string[] = normalSubtrees([
  ...VENDORS,
  ...HOSTS,
  ...AWS_REGIONS.flatMap((region) => [
    `bedrock-runtime.${region}.amazonaws.com`,
    `bedrock-runtime-fips.${region}.amazonaws.com`,
    `bedrock-mantle.${region}.api.aws`,
    `aws-external-anthropic.${region}.api.aws`,
  ]),
  ...GOOGLE_REGIONS.map((region) => `${region}-aiplatform.googleapis.com`),
  ...OWN,
])
