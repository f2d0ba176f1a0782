{# The inbox of alerts; who is told, and what is told. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        YORI.forms(['frm_alerts']);
        YORI.grid('#{{ formGridSink['table_id'] }}', 'sink', true);
        YORI.grid('#{{ formGridRule['table_id'] }}', 'rule', true);
        const inbox = function () {
            ajaxGet('/api/yori/alerts/get', {all: $('#yori_all').is(':checked') ? 1 : 0}, function (data) {
                YORI.fill('#yori_inbox', data.alerts ?? [], (alert) => {
                    const acts = $('<div class="btn-group"/>');
                    const at = (what) => '/api/yori/alerts/' + what + '/' + encodeURIComponent(alert.id);
                    acts.append(YORI.button("{{ lang._('Acknowledge') }}", at('ack'), {}, inbox));
                    acts.append(YORI.button("{{ lang._('Snooze a day') }}", at('snooze'), {seconds: 86400}, inbox));
                    const device = alert.device ?? {};
                    return [YORI.time(alert.timestamp), alert.rule, device.hostname ?? device.ip, alert.reason, alert.state, acts];
                });
            });
        };
        $('#yori_all').change(inbox);
        inbox();
    });
</script>

<ul class="nav nav-tabs" data-tabs="tabs" id="maintabs">
    <li class="active"><a data-toggle="tab" href="#tab_inbox">{{ lang._('Inbox') }}</a></li>
    <li><a data-toggle="tab" href="#tab_frm_alerts">{{ lang._('General') }}</a></li>
    <li><a data-toggle="tab" href="#tab_sink">{{ lang._('Receivers') }}</a></li>
    <li><a data-toggle="tab" href="#tab_rule">{{ lang._('Rules') }}</a></li>
</ul>
<div class="tab-content content-box">
    <div id="tab_inbox" class="tab-pane fade in active">
        <label><input type="checkbox" id="yori_all"/> {{ lang._('Also what is acknowledged or asleep') }}</label>
        <table class="table table-condensed" id="yori_inbox">
            <thead><tr><th>{{ lang._('Time') }}</th><th>{{ lang._('Rule') }}</th><th>{{ lang._('Device') }}</th><th>{{ lang._('Alert') }}</th><th>{{ lang._('State') }}</th><th></th></tr></thead>
            <tbody></tbody>
        </table>
    </div>
    <div id="tab_frm_alerts" class="tab-pane fade">
        {{ partial('layout_partials/base_form', ['fields': formAlerts, 'id': 'frm_alerts']) }}
    </div>
    <div id="tab_sink" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridSink) }}
    </div>
    <div id="tab_rule" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridRule) }}
    </div>
</div>
{{ partial('layout_partials/base_apply_button', ['data_endpoint': '/api/yori/service/reconfigure', 'data_service_widget': 'yori']) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogSink, 'id': formGridSink['edit_dialog_id'], 'label': lang._('Receivers')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogRule, 'id': formGridRule['edit_dialog_id'], 'label': lang._('Rules')]) }}
