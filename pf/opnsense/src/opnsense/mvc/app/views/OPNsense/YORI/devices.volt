{# Devices and people: those of the settings, and those that YORI has seen. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        YORI.forms([]);
        YORI.grid('#{{ formGridDevice['table_id'] }}', 'device', true);
        YORI.grid('#{{ formGridGroup['table_id'] }}', 'group', true);
        YORI.grid('#{{ formGridSchedule['table_id'] }}', 'schedule', true);
        YORI.grid('#{{ formGridPerson['table_id'] }}', 'person', false);
        const seen = function () {
            ajaxGet('/api/yori/devices/search', {}, function (data) {
                YORI.fill('#yori_seen', data.rows ?? [], (device) => {
                    const target = YORI.text(device.id);
                    const acts = $('<div class="btn-group"/>');
                    acts.append(YORI.button("{{ lang._('Pause 10 minutes') }}", '/api/yori/devices/pause', {target: target, minutes: 10}, seen));
                    acts.append(YORI.button("{{ lang._('Allow 30 minutes') }}", '/api/yori/devices/allow', {target: target, minutes: 30}, seen));
                    acts.append(YORI.button("{{ lang._('As before') }}", '/api/yori/devices/end', {target: target}, seen));
                    return [device.name ?? device.hostname ?? target, device.ip, device.person,
                        YORI.number(device.calls), YORI.number(device.blocks), acts];
                });
            });
        };
        seen();
    });
</script>

<ul class="nav nav-tabs" data-tabs="tabs" id="maintabs">
    <li class="active"><a data-toggle="tab" href="#tab_seen">{{ lang._('Seen by YORI') }}</a></li>
    <li><a data-toggle="tab" href="#tab_device">{{ lang._('Devices') }}</a></li>
    <li><a data-toggle="tab" href="#tab_group">{{ lang._('Groups') }}</a></li>
    <li><a data-toggle="tab" href="#tab_schedule">{{ lang._('Times without limits') }}</a></li>
    <li><a data-toggle="tab" href="#tab_person">{{ lang._('People') }}</a></li>
</ul>
<div class="tab-content content-box">
    <div id="tab_seen" class="tab-pane fade in active">
        <table class="table table-condensed" id="yori_seen">
            <thead><tr><th>{{ lang._('Device') }}</th><th>{{ lang._('Address') }}</th><th>{{ lang._('Person') }}</th><th>{{ lang._('Calls') }}</th><th>{{ lang._('Blocked') }}</th><th>{{ lang._('Now') }}</th></tr></thead>
            <tbody></tbody>
        </table>
    </div>
    <div id="tab_device" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridDevice) }}
    </div>
    <div id="tab_group" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridGroup) }}
    </div>
    <div id="tab_schedule" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridSchedule) }}
    </div>
    <div id="tab_person" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridPerson) }}
    </div>
</div>
{{ partial('layout_partials/base_apply_button', ['data_endpoint': '/api/yori/service/reconfigure', 'data_service_widget': 'yori']) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogDevice, 'id': formGridDevice['edit_dialog_id'], 'label': lang._('Devices')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogGroup, 'id': formGridGroup['edit_dialog_id'], 'label': lang._('Groups')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogSchedule, 'id': formGridSchedule['edit_dialog_id'], 'label': lang._('Times without limits')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogPerson, 'id': formGridPerson['edit_dialog_id'], 'label': lang._('People')]) }}
