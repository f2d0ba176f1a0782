<?php

namespace OPNsense\YORI;

use OPNsense\Base\BaseModel;
use OPNsense\Base\Messages\Message;

/** What General.xml cannot say: fields that need, exclude or contradict each other. */
class General extends BaseModel
{
    /** Which fields a type of receiver is nothing without. */
    private const SINK_NEEDS = [
        'webhook' => ['sink_url'],
        'email' => ['sink_host', 'sink_from', 'sink_to'],
        'ntfy' => ['sink_url'],
        'gotify' => ['sink_url', 'sink_token'],
        'pushover' => ['sink_token', 'sink_user'],
        'slack' => ['sink_url'],
        'discord' => ['sink_url'],
        'teams' => ['sink_url'],
        'homeassistant' => ['sink_url'],
        'syslog' => ['sink_host'],
    ];

    /** {@inheritdoc} */
    public function performValidation($validateFullModel = false)
    {
        $messages = parent::performValidation($validateFullModel);
        $say = function ($text, $field) use ($messages) {
            $messages->appendMessage(new Message($text, $field));
        };
        $this->checkConsent($say);
        if ((string)$this->trust_page_port === '80') {
            $say(gettext('Port 80 is the page of OPNsense itself: name another, such as 8080.'), 'trust_page_port');
        }
        $this->checkDevices($say);
        $this->checkSinks($say);
        foreach ($this->parameters->parameter->iterateItems() as $row) {
            $isNumber = (string)$row->parameter_kind === 'number';
            if ($isNumber && !preg_match('/^-?[0-9]{1,15}(?:\.[0-9]{1,6})?$/D', (string)$row->parameter_value)) {
                $say(gettext('This is no number.'), $row->__reference . '.parameter_value');
            }
        }
        return $messages;
    }

    private function checkConsent($say)
    {
        if ((string)$this->consent_accepted === '1') {
            return;
        }
        if ((string)$this->mode === 'enforce' || (string)$this->enforcement_enabled === '1') {
            $say(
                gettext('Blocking can break applications and automation, and whoever makes YORI fail ' .
                    'gets through. Accept that, or choose another mode and let policies not block.'),
                'consent_accepted'
            );
        }
    }

    private function checkDevices($say)
    {
        foreach ($this->devices->device->iterateItems() as $row) {
            if ((string)$row->device_ip === '' && (string)$row->device_mac === '') {
                $say(gettext('Give an address, a MAC address, or both.'), $row->__reference . '.device_ip');
            }
        }
        foreach ($this->schedules->schedule->iterateItems() as $row) {
            if ((string)$row->schedule_start === (string)$row->schedule_end) {
                $say(gettext('This is no time at all.'), $row->__reference . '.schedule_end');
            }
        }
        foreach ($this->people->person->iterateItems() as $row) {
            if (self::secretOf($row->person_password_hash) . self::secretOf($row->person_pin_hash) === '') {
                $say(gettext('Give a password, a PIN, or both.'), $row->__reference . '.person_password_hash');
            }
        }
    }

    private function checkSinks($say)
    {
        foreach ($this->sinks->sink->iterateItems() as $row) {
            foreach (self::SINK_NEEDS[(string)$row->sink_type] ?? [] as $field) {
                if (self::secretOf($row->$field) === '') {
                    $say(gettext('This type of receiver needs it.'), $row->__reference . '.' . $field);
                }
            }
        }
    }

    /** Fields of secrets say nothing when they are asked for as text. */
    private static function secretOf($field)
    {
        return method_exists($field, 'getCurrentValue') ? $field->getCurrentValue() : (string)$field;
    }
}
