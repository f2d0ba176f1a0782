/** YORI on the dashboard of OPNsense: mode, the last 24 hours, and what waits for somebody. */
export default class Yori extends BaseTableWidget {
  constructor() {
    super()
    this.tickTimeout = 10
  }

  getGridOptions() {
    return { sizeToContent: 400 }
  }

  getMarkup() {
    const container = $('<div></div>')
    container.append(this.createTable('yori-table', { headerPosition: 'left' }))
    return container
  }

  async onWidgetTick() {
    const data = await this.ajaxCall('/api/yori/dashboard/get')
    if (!data || data.error || !data.usage) {
      const said = data && data.error ? data.error : this.translations.silent
      super.updateTable('yori-table', [[[this.translations.state], [this.#plain(said)]]])
      return
    }
    if (!this.dataChanged('yori', data)) return
    const { total, devices } = data.usage
    const waiting = this.#waiting(data.waiting)
    super.updateTable('yori-table', [
      [[this.translations.mode], [this.#plain(data.mode)]],
      [[this.translations.state], [this.#plain(data.status)]],
      [[this.translations.calls], [this.#count(total.calls)]],
      [[this.translations.blocked], [this.#count(total.blocks)]],
      [[this.translations.devices], [this.#count(devices.length)]],
      [[this.translations.waiting], [this.#count(waiting)]],
    ])
  }

  /** What YORI says waits, by kind: numbers, or lists of it. */
  #waiting(kinds) {
    if (Array.isArray(kinds)) return kinds.length
    if (kinds === null || typeof kinds !== 'object') return Number(kinds) || 0
    return Object.values(kinds).reduce((sum, one) => sum + this.#waiting(one), 0)
  }

  #count(value) {
    const number = Number(value)
    return Number.isFinite(number) ? number.toLocaleString() : '0'
  }

  /** The framework puts cells in as HTML; what it escaped once stays escaped. */
  #plain(value) {
    return String(value ?? '')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  }
}
