{# What YORI is told: service, enforcement, steering, record, hosts. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        YORI.forms(['frm_general', 'frm_steering', 'frm_record']);
        YORI.grid('#{{ formGridEndpoint['table_id'] }}', 'endpoint', true);
        YORI.grid('#{{ formGridProvider['table_id'] }}', 'provider', false);
        YORI.grid('#{{ formGridLimit['table_id'] }}', 'limit', false);
    });
</script>

<ul class="nav nav-tabs" data-tabs="tabs" id="maintabs">
    <li class="active"><a data-toggle="tab" href="#tab_frm_general">{{ lang._('General') }}</a></li>
    <li><a data-toggle="tab" href="#tab_frm_steering">{{ lang._('Steering') }}</a></li>
    <li><a data-toggle="tab" href="#tab_frm_record">{{ lang._('Record') }}</a></li>
    <li><a data-toggle="tab" href="#tab_endpoint">{{ lang._('LLM hosts') }}</a></li>
    <li><a data-toggle="tab" href="#tab_provider">{{ lang._('Providers') }}</a></li>
    <li><a data-toggle="tab" href="#tab_limit">{{ lang._('Limits') }}</a></li>
</ul>
<div class="tab-content content-box">
    <div id="tab_frm_general" class="tab-pane fade in active">
        {{ partial('layout_partials/base_form', ['fields': formGeneral, 'id': 'frm_general']) }}
    </div>
    <div id="tab_frm_steering" class="tab-pane fade">
        {{ partial('layout_partials/base_form', ['fields': formSteering, 'id': 'frm_steering']) }}
    </div>
    <div id="tab_frm_record" class="tab-pane fade">
        {{ partial('layout_partials/base_form', ['fields': formRecord, 'id': 'frm_record']) }}
    </div>
    <div id="tab_endpoint" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridEndpoint) }}
    </div>
    <div id="tab_provider" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridProvider) }}
    </div>
    <div id="tab_limit" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridLimit) }}
    </div>
</div>
{{ partial('layout_partials/base_apply_button', ['data_endpoint': '/api/yori/service/reconfigure', 'data_service_widget': 'yori']) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogEndpoint, 'id': formGridEndpoint['edit_dialog_id'], 'label': lang._('LLM hosts')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogProvider, 'id': formGridProvider['edit_dialog_id'], 'label': lang._('Providers')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogLimit, 'id': formGridLimit['edit_dialog_id'], 'label': lang._('Limits')]) }}
