/**
 * What the pages of YORI share: texts that are shown as they are, tables of rows, grids of the
 * model, buttons that post. A plain script, since pages of OPNsense load those.
 */
const YORI = {
  /** The framework escapes its answers for HTML; this is the text again, to be set as text. */
  text(value) {
    if (value === null || value === undefined) return ''
    return String(value)
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#039;', "'")
      .replaceAll('&amp;', '&')
  },

  /** 1234567 as people of that language write it. */
  number(value) {
    return Number.isFinite(Number(value)) ? Number(value).toLocaleString() : ''
  },

  /** A moment as the browser's place has it: milliseconds or ISO 8601. */
  time(value) {
    if (value === null || value === undefined || value === '') return ''
    const moment = new Date(typeof value === 'number' ? value : YORI.text(value))
    return Number.isNaN(moment.getTime()) ? '' : moment.toLocaleString()
  },

  /** Rows into the body of a table; a cell is a text, or a node that was made here. */
  fill(table, rows, cells) {
    const body = $(table).find('tbody').empty()
    for (const row of rows) {
      const line = $('<tr/>')
      for (const cell of cells(row)) {
        const place = $('<td/>')
        if (cell !== null && typeof cell === 'object') place.append(cell)
        else place.text(YORI.text(cell))
        line.append(place)
      }
      body.append(line)
    }
    return body
  },

  /** A button that posts, and says what came of it; `done` runs when it worked. */
  button(label, url, data, done) {
    return $('<button type="button" class="btn btn-xs btn-default"/>')
      .text(label)
      .on('click', () => YORI.post(url, typeof data === 'function' ? data() : data, done))
  },

  post(url, data, done) {
    ajaxCall(url, data ?? {}, (answer) => {
      if (answer && answer.error) YORI.say(YORI.text(answer.error))
      else if (done) done(answer)
    })
  },

  say(text) {
    BootstrapDialog.show({
      type: BootstrapDialog.TYPE_WARNING,
      title: 'YORI',
      message: $('<div/>').text(text),
      buttons: [{ label: 'OK', action: (dialog) => dialog.close() }],
    })
  },

  /** The grid of a list of the model, by the name of its row: `device`, with or without a switch. */
  grid(table, row, isSwitched) {
    const at = (what) => '/api/yori/settings/' + what + '_' + row + '/'
    const options = {
      search: at('search'),
      get: at('get'),
      set: at('set'),
      add: at('add'),
      del: at('del'),
    }
    if (isSwitched) options.toggle = at('toggle')
    return $(table).UIBootgrid(options)
  },

  /** Forms by their names from settings/get; Apply saves them, and then has YORI read them. */
  forms(names) {
    const from = {}
    for (const name of names) from[name] = '/api/yori/settings/get'
    mapDataToFormUI(from).done(() => {
      formatTokenizersUI()
      $('.selectpicker').selectpicker('refresh')
      updateServiceControlUI('yori')
    })
    $('#reconfigureAct').SimpleActionButton({
      onPreAction: () => {
        const saved = new $.Deferred()
        const next = (index) => {
          if (index === names.length) return saved.resolve()
          const url = '/api/yori/settings/set'
          saveFormToEndpoint(
            url,
            names[index],
            () => next(index + 1),
            true,
            () => saved.reject(),
          )
        }
        next(0)
        return saved
      },
      onAction: (answer) => {
        if (answer && answer.validations) YORI.problems(answer.validations)
      },
    })
  },

  /** What YORI found in the file, at its fields where they are on this page, else as a list. */
  problems(validations) {
    const rest = []
    for (const [field, text] of Object.entries(validations)) {
      const place = $(document.getElementById('help_block_' + field))
      if (place.length > 0)
        place.text(YORI.text(text)).closest('tr').addClass('has-error')
      else rest.push(field + ': ' + YORI.text(text))
    }
    if (rest.length > 0) YORI.say(rest.join('\n'))
  },

  /** Events of a stream, newest first, at most `most` rows; returns what ends it. */
  live(url, onExchanges) {
    const source = new EventSource(url)
    source.addEventListener('exchanges', (event) => {
      let frame
      try {
        frame = JSON.parse(event.data)
      } catch {
        return
      }
      onExchanges(frame.exchanges ?? [], frame.left_out ?? 0)
    })
    return () => source.close()
  },
}
