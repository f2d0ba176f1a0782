{# Exchanges of before. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        const cells = (one) => [
            YORI.time(one.timestamp), one.device_hostname ?? one.device_ip, one.endpoint_domain, one.model,
            one.enforcement_action ?? one.event_type, one.response_status, one.latency_ms, one.policy_message ?? one.reason
        ];
        const show = function () {
            const asked = {outcome: $('#yori_outcome').val(), device: $('#yori_device').val()};
            ajaxGet('/api/yori/live/search', asked, function (data) {
                YORI.fill('#yori_log', data.rows ?? [], cells);
            });
        };
        $('#yori_outcome, #yori_device').change(show);
        $('#yori_again').click(show);
        show();
        updateServiceControlUI('yori');
    });
</script>

<div class="content-box __mb">
    <label>{{ lang._('Outcome') }}
        <select id="yori_outcome">
            <option value="">{{ lang._('All') }}</option>
            <option value="block">{{ lang._('Blocked') }}</option>
            <option value="error">{{ lang._('Failed') }}</option>
        </select>
    </label>
    <label>{{ lang._('Device') }} <input type="text" id="yori_device"/></label>
    <button type="button" class="btn btn-default btn-xs" id="yori_again">{{ lang._('Again') }}</button>
    <a class="btn btn-default btn-xs" href="/ui/diagnostics/log/core/yori">{{ lang._('Log file of the service') }}</a>
    <table class="table table-condensed" id="yori_log">
        <thead><tr><th>{{ lang._('Time') }}</th><th>{{ lang._('Device') }}</th><th>{{ lang._('Host') }}</th><th>{{ lang._('Model') }}</th><th>{{ lang._('Outcome') }}</th><th>{{ lang._('Status') }}</th><th>{{ lang._('Milliseconds') }}</th><th>{{ lang._('Why') }}</th></tr></thead>
        <tbody></tbody>
    </table>
</div>
