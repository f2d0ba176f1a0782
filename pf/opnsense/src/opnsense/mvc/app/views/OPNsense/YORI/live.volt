{# Exchanges as they end. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        const most = 200;
        let rows = [];
        let held = false;
        const cells = (one) => [
            YORI.time(one.timestamp), one.device_hostname ?? one.device_ip, one.endpoint_domain, one.model,
            one.enforcement_action ?? one.event_type, one.response_status, one.latency_ms, one.policy_message ?? one.reason
        ];
        YORI.live('/api/yori/live/stream', function (exchanges, leftOut) {
            rows = exchanges.slice().reverse().concat(rows).slice(0, most);
            $('#yori_left_out').text(leftOut > 0 ? YORI.number(leftOut) : '');
            if (!held) {
                YORI.fill('#yori_live', rows, cells);
            }
        });
        $('#yori_hold').click(function () {
            held = !held;
            $(this).toggleClass('active', held);
        });
        updateServiceControlUI('yori');
    });
</script>

<div class="content-box __mb">
    <button type="button" class="btn btn-default btn-xs" id="yori_hold">{{ lang._('Hold') }}</button>
    <span id="yori_left_out"></span>
    <table class="table table-condensed" id="yori_live">
        <thead><tr><th>{{ lang._('Time') }}</th><th>{{ lang._('Device') }}</th><th>{{ lang._('Host') }}</th><th>{{ lang._('Model') }}</th><th>{{ lang._('Outcome') }}</th><th>{{ lang._('Status') }}</th><th>{{ lang._('Milliseconds') }}</th><th>{{ lang._('Why') }}</th></tr></thead>
        <tbody></tbody>
    </table>
</div>
